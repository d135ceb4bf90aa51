//! `Side`: one of the two who talk in the demo.

/// One of the two who talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Who calls, at the left.
    Alice,
    /// Who is called, at the right.
    Bob,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Alice, Self::Bob];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Alice => "Alice",
            Self::Bob => "Bob",
        }
    }

    /// The tone that it plays, in hertz.
    pub(super) const fn hz(self) -> f64 {
        *self.of(&[440.0, 660.0])
    }

    pub(super) const fn other(self) -> Self {
        *self.of(&[Self::Bob, Self::Alice])
    }

    /// What belongs to this side.
    pub(super) const fn of<T>(self, [alice, bob]: &[T; 2]) -> &T {
        match self {
            Self::Alice => alice,
            Self::Bob => bob,
        }
    }

    /// As [`of`](Self::of), to change it.
    pub(super) const fn of_mut<T>(self, [alice, bob]: &mut [T; 2]) -> &mut T {
        match self {
            Self::Alice => alice,
            Self::Bob => bob,
        }
    }
}
