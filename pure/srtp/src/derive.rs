//! From the master key to the keys of a session (RFC 3711 §4.3, RFC 7714 §11), once: the key derivation rate is zero.

use crate::Master;
use crate::cipher::Block;

/// What a derived key is for (RFC 3711 §4.3.1, §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Cipher = 0,
    Tag = 1,
    Salt = 2,
}

/// Whose keys: those of SRTCP have labels of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Sound = 0,
    Reports = 3,
}

/// So many octets of key stream of the master key, for one purpose.
pub(crate) fn derive(
    master: &Master,
    whose: Whose,
    label: Label,
    octets: usize,
) -> Option<Vec<u8>> {
    let mut begin = [0; 16];
    for (to, from) in begin.iter_mut().zip(master.salt()) {
        *to = *from;
    }
    // The label stands in front of a 48-bit index of zero, and both end where the salt of 112 bits ends.
    begin[7] ^= whose as u8 + label as u8;
    let mut key = vec![0; octets];
    Block::new(master.key())?.mask(begin, &mut key);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn keys_are_those_of_the_rfc() {
        let master = Master::of(
            Suite::AesCm128HmacSha1With80,
            &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
            &hex("0EC675AD498AFEEBB6960B3AABE6"),
        );
        let derived =
            |label, octets| derive(master.as_ref().unwrap(), Whose::Sound, label, octets).unwrap();
        assert_eq!(derived(Label::Cipher, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derived(Label::Salt, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        let tag = "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2DC68";
        assert_eq!(derived(Label::Tag, 94), hex(tag)[..94]);
    }
}
