//! What a body does with what it is given, as bits.

use std::collections::BTreeMap;

use super::value::InputPath;

/// What is done with a context or another input, as a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uses(pub u32);

impl Uses {
    /// A value is read.
    pub const VALUE: Uses = Uses(1);
    /// Its end is waited for, and nothing else meanwhile.
    pub const WAIT: Uses = Uses(1 << 1);
    /// Work is raced with its end.
    pub const RACE: Uses = Uses(1 << 2);
    /// Its state is asked.
    pub const STATE: Uses = Uses(1 << 3);
    /// It is handed to something that works with it.
    pub const WORK: Uses = Uses(1 << 4);
    /// It is handed to a task.
    pub const SPAWN: Uses = Uses(1 << 5);
    /// A callback is registered on it.
    pub const CALLBACK: Uses = Uses(1 << 6);
    /// It is detached.
    pub const DETACH: Uses = Uses(1 << 7);
    /// It is mentioned where nobody knows what happens.
    pub const OPAQUE: Uses = Uses(1 << 8);
    /// A handle is used; a task is waited for; a guard is kept: whatever its owner owed is done.
    pub const USED: Uses = Uses(1 << 9);
    /// A handle is cancelled on every path.
    pub const CANCEL: Uses = Uses(1 << 10);
    /// It is called, or polled to its end.
    pub const CALL: Uses = Uses(1 << 11);
    /// It is started as a task.
    pub const START: Uses = Uses(1 << 12);
    /// It goes out of sight.
    pub const ESCAPE: Uses = Uses(1 << 13);
    /// It serves as a key.
    pub const KEY: Uses = Uses(1 << 14);
    /// It is given back to the caller.
    pub const RETURN: Uses = Uses(1 << 15);
    /// It is derived from.
    pub const DERIVE: Uses = Uses(1 << 16);
    /// Work is done under it with no bound of its own.
    pub const RAW: Uses = Uses(1 << 17);
    /// It is detached, and work is done under the result with no bound of its own.
    pub const DETACHED_RAW: Uses = Uses(1 << 18);

    /// It is detached, and work is done under what is derived from that.
    pub const DETACHED_WORK: Uses = Uses(1 << 20);
    /// Told together with others: the work stands under a bound of its own.
    pub const BOUND: Uses = Uses(1 << 19);
    /// It serves as a key that a value is written under.
    pub const WRITTEN_KEY: Uses = Uses(1 << 21);
    /// It goes out of sight in a field that keeps a token: nobody gets at it but by the field's name.
    pub const KEPT: Uses = Uses(1 << 22);
    /// It is given back to the caller in such a field.
    pub const RETURN_KEPT: Uses = Uses(1 << 23);

    /// It is called, or polled to its end, with no bound.
    pub const CALL_RAW: Uses = Uses(1 << 24);
    /// What calling it gives is polled to its end, with no bound.
    pub const RESULT_RAW: Uses = Uses(1 << 25);

    /// A task owns it, or shares it with others: a guard in it ends no sooner than that.
    pub const OWNED: Uses = Uses(1 << 26);

    /// What a bound takes away from what is done under it.
    pub const UNBOUNDED: Uses = Uses(Uses::RAW.0 | Uses::DETACHED_RAW.0 | Uses::CALL_RAW.0 | Uses::RESULT_RAW.0);

    /// Work that ends with its context.
    pub const CUT: Uses = Uses(Uses::WORK.0 | Uses::RACE.0 | Uses::STATE.0 | Uses::SPAWN.0);

    /// It goes away in a field that keeps a token, to wherever.
    pub const IN_FIELD: Uses = Uses(Uses::KEPT.0 | Uses::RETURN_KEPT.0);

    /// The same, where what is kept in a field goes just out of sight.
    pub fn escaping(self) -> Uses {
        let escapes = if self.any(Uses::KEPT) { Uses::ESCAPE } else { Uses::default() };
        self.without(Uses::IN_FIELD).and(escapes)
    }

    /// Whether it has one of these bits.
    pub fn any(self, other: Uses) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing is done.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Without these bits.
    pub fn without(self, other: Uses) -> Uses {
        Uses(self.0 & !other.0)
    }

    /// Both.
    pub fn and(self, other: Uses) -> Uses {
        Uses(self.0 | other.0)
    }
}

/// What a body does with each of its inputs.
pub type InputUses = BTreeMap<InputPath, Uses>;
