//! `Batch`: a group of records as one row, in the order in which they came.
//!
//! Each record: the lengths of its key and its value, 4 octets each; its end, 8 octets; key; value; sum, 8 octets. Numbers are big-endian.

use crate::sum::sum;

/// One record of a batch, as it lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a [u8],
    /// Empty: nothing is kept under the key any more.
    pub(crate) value: &'a [u8],
    pub(crate) until: i64,
}

impl Entry<'_> {
    /// How many octets it takes there.
    pub(crate) const fn len(&self) -> usize {
        AROUND.saturating_add(self.key.len()).saturating_add(self.value.len())
    }

    /// Writes it behind the others.
    pub(crate) fn write(&self, batch: &mut Vec<u8>) {
        // Longer than a record may be, it would have been refused.
        let length = |octets: &[u8]| u32::try_from(octets.len()).unwrap_or(u32::MAX).to_be_bytes();
        batch.extend_from_slice(&length(self.key));
        batch.extend_from_slice(&length(self.value));
        batch.extend_from_slice(&self.until.to_be_bytes());
        batch.extend_from_slice(self.key);
        batch.extend_from_slice(self.value);
        batch.extend_from_slice(&sum(self.key, self.value, self.until));
    }
}

/// The records of a batch, one after the other: `None` for one whose octets are not what was written. It ends where no length can be right.
pub(crate) fn entries(mut batch: &[u8]) -> impl Iterator<Item = Option<Entry<'_>>> {
    std::iter::from_fn(move || {
        let (key, rest) = batch.split_first_chunk()?;
        let (value, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*key) as usize)?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value) as usize)?;
        let (written, rest) = rest.split_first_chunk::<8>()?;
        batch = rest;
        let until = i64::from_be_bytes(*until);
        Some((*written == sum(key, value, until)).then_some(Entry { key, value, until }))
    })
}

/// Octets of a record beside its key and its value.
const AROUND: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (Vec<u8>, [Entry<'static>; 3]) {
        let entry = |key, value, until| Entry { key, value, until };
        let all = [entry(b"a", b"one", 7), entry(b"bb", b"", 0), entry(b"", b"three", i64::MAX)];
        let mut batch = Vec::new();
        all.iter().for_each(|entry| entry.write(&mut batch));
        (batch, all)
    }

    #[test]
    fn what_is_written_reads_back() {
        let (batch, all) = written();
        assert_eq!(entries(&batch).collect::<Vec<_>>(), all.map(Some));
        assert_eq!(batch.len(), all.iter().map(Entry::len).sum());
    }

    #[test]
    fn a_changed_octet_costs_its_record_and_a_changed_length_what_follows() {
        let (batch, all) = written();
        for at in 0..batch.len() {
            let mut spoilt = batch.clone();
            spoilt[at] = !spoilt[at];
            let read: Vec<_> = entries(&spoilt).collect();
            assert!(read.len() < all.len() || read.contains(&None), "{at}");
            assert!(read.iter().flatten().all(|entry| all.contains(entry)), "{at}");
        }
        assert_eq!(entries(&batch[..batch.len() - 1]).count(), 2);
    }
}
