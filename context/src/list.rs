//! A doubly linked list inside a vector: O(1) insertion and removal by key, in order of
//! insertion, with no allocation for each entry and no unsafe code.

use std::vec;

/// Marks "no slot".
pub(crate) const NIL: u32 = u32::MAX;

/// Slots kept for reuse when the list runs empty; more are given back to the allocator.
const KEEP: usize = 64;

pub(crate) struct List<T> {
    slots: Vec<Slot<T>>,
    head: u32,
    tail: u32,
    /// First of the free slots, linked through `next`.
    free: u32,
    len: u32,
    /// A free slot was used again, so that the order is not that of the slots.
    shuffled: bool,
}

pub(crate) struct Slot<T> {
    item: Option<T>,
    prev: u32,
    next: u32,
}

impl<T> List<T> {
    pub(crate) const fn new() -> List<T> {
        List { slots: Vec::new(), head: NIL, tail: NIL, free: NIL, len: 0, shuffled: false }
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends, and returns the key under which the entry stays until it is removed.
    ///
    /// Keys are 32 bits wide: 2^32 - 1 live entries would need over 64 GiB of slots alone.
    #[inline]
    pub(crate) fn push(&mut self, item: T) -> u32 {
        let slot = Slot { item: Some(item), prev: self.tail, next: NIL };
        let key = self.free;
        let key = match self.slots.get_mut(key as usize) {
            Some(free) => {
                self.free = free.next;
                self.shuffled = true;
                *free = slot;
                key
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        match self.slots.get_mut(self.tail as usize) {
            Some(last) => last.next = key,
            None => self.head = key,
        }
        self.tail = key;
        self.len += 1;
        key
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        self.slots.get_mut(key as usize)?.item.as_mut()
    }

    /// Takes the entry out; `None` if there is none under that key.
    pub(crate) fn remove(&mut self, key: u32) -> Option<T> {
        let slot = self.slots.get_mut(key as usize)?;
        let item = slot.item.take()?;
        let (prev, next) = (slot.prev, slot.next);
        slot.next = self.free;
        self.free = key;
        match self.slots.get_mut(prev as usize) {
            Some(before) => before.next = next,
            None => self.head = next,
        }
        match self.slots.get_mut(next as usize) {
            Some(after) => after.prev = prev,
            None => self.tail = prev,
        }
        self.len -= 1;
        if self.len == 0 {
            self.start_over();
        }
        Some(item)
    }

    /// Forgets the slots of a list that has run empty: the next entries are in their order again.
    fn start_over(&mut self) {
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        *self = List::new();
        if slots.capacity() <= KEEP {
            self.slots = slots;
        }
    }

    /// Takes the oldest entry out. Meant for emptying the list: it does not keep free slots.
    pub(crate) fn drain_next(&mut self) -> Option<T> {
        let slot = self.slots.get_mut(self.head as usize)?;
        self.head = slot.next;
        self.len -= 1;
        slot.item.take()
    }

    /// Takes all entries out, to be had one after the other.
    pub(crate) fn drain(&mut self) -> Drain<T> {
        let mut list = std::mem::replace(self, List::new());
        if list.shuffled { Drain::Linked(list) } else { Drain::Straight(std::mem::take(&mut list.slots).into_iter()) }
    }
}

/// What was in a list, the oldest first.
pub(crate) enum Drain<T> {
    Straight(vec::IntoIter<Slot<T>>),
    Linked(List<T>),
}

impl<T> Iterator for Drain<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match self {
            Drain::Straight(slots) => slots.find_map(|slot| slot.item),
            Drain::Linked(list) => list.drain_next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEEP, List};

    /// What is left of the list, taken out in both ways.
    fn drained<T: Copy + PartialEq + std::fmt::Debug>(mut list: List<T>) -> Vec<T> {
        let mut again = List::new();
        let mut one_by_one = Vec::new();
        while let Some(item) = list.drain_next() {
            again.push(item);
            one_by_one.push(item);
        }
        assert_eq!(again.drain().collect::<Vec<_>>(), one_by_one);
        assert!(again.is_empty());
        one_by_one
    }

    #[test]
    fn keeps_the_order_of_insertion_through_removals_and_reuse() {
        let mut list = List::new();
        let keys: Vec<_> = (0..10).map(|i| list.push(i)).collect();
        for i in [0, 9, 4, 5] {
            assert_eq!(list.remove(keys[i]), Some(i));
            assert_eq!(list.remove(keys[i]), None);
        }
        let reused: Vec<_> = (10..13).map(|i| list.push(i)).collect();
        assert!(reused.iter().all(|key| keys.contains(key)));
        assert_eq!(list.get_mut(reused[0]), Some(&mut 10));
        assert_eq!(list.len(), 9);
        assert_eq!(drained(list), [1, 2, 3, 6, 7, 8, 10, 11, 12]);
    }

    #[test]
    fn drains_in_order_with_and_without_gaps_and_reuse() {
        let with = |removed: &[usize], added: &[i32]| {
            let mut list = List::new();
            let keys: Vec<_> = (0..6).map(|i| list.push(i)).collect();
            for i in removed {
                list.remove(keys[*i]);
            }
            for i in added {
                list.push(*i);
            }
            list.drain().collect::<Vec<_>>()
        };
        assert_eq!(with(&[], &[]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(with(&[0, 3, 5], &[]), [1, 2, 4]);
        assert_eq!(with(&[0, 3, 5], &[6, 7]), [1, 2, 4, 6, 7]);
        assert_eq!(with(&[5, 1, 0, 2, 4, 3], &[6, 7]), [6, 7]);
    }

    #[test]
    fn a_list_that_ran_empty_begins_with_the_first_key_again() {
        let mut list = List::new();
        for _ in 0..3 {
            let keys: Vec<_> = (0..3).map(|i| list.push(i)).collect();
            assert_eq!(keys, [0, 1, 2]);
            for key in keys.into_iter().rev() {
                list.remove(key);
            }
            assert!(!list.shuffled && list.slots.capacity() > 0);
        }
    }

    #[test]
    fn knows_no_keys_that_it_did_not_give() {
        let mut list = List::<u8>::new();
        assert_eq!((list.remove(super::NIL), list.remove(0), list.get_mut(3)), (None, None, None));
        let key = list.push(1);
        assert_eq!(list.remove(key + 1), None);
        assert!(!list.is_empty());
    }

    #[test]
    fn gives_back_the_memory_of_a_burst() {
        let mut list = List::new();
        let keys: Vec<_> = (0..10 * KEEP).map(|i| list.push(i)).collect();
        for key in keys {
            list.remove(key);
        }
        assert_eq!(list.slots.capacity(), 0);
        assert_eq!(list.push(7), 0);
        assert_eq!(drained(list), [7]);
    }
}
