//! A priority queue whose entries can be removed by a ticket.

use std::time::Instant;

/// Children of one node of the heap: four, since their times then share a cache line or two.
const ARITY: usize = 4;

pub(crate) struct Heap<T> {
    /// Ordered as a heap: no entry is later than its children.
    order: Vec<Entry>,
    slots: Vec<Slot<T>>,
    free: Option<u32>,
    /// Counts insertions, so that an old ticket never means a new entry.
    count: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    at: Instant,
    /// Of two entries for the same instant the younger goes first: a child's own deadline
    /// before its parent's, so that the child keeps its own cause.
    serial: u64,
    slot: u32,
}

struct Slot<T> {
    serial: u64,
    state: SlotState<T>,
}

enum SlotState<T> {
    Used { position: u32, item: T },
    Free { next: Option<u32> },
}

#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    serial: u64,
    slot: u32,
}

impl Entry {
    fn before(&self, other: &Entry) -> bool {
        self.at < other.at || (self.at == other.at && self.serial > other.serial)
    }
}

impl<T> Heap<T> {
    pub(crate) const fn new() -> Heap<T> {
        Heap { order: Vec::new(), slots: Vec::new(), free: None, count: 0 }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|entry| entry.at)
    }

    pub(crate) fn insert(&mut self, at: Instant, item: T) -> Ticket {
        self.count += 1;
        let serial = self.count;
        let position = self.order.len();
        let filled = Slot { serial, state: SlotState::Used { position: position as u32, item } };
        let reused = self.free.and_then(|key| Some((key, self.slots.get_mut(key as usize)?)));
        let slot = match reused {
            Some((key, slot)) => {
                self.free = match slot.state {
                    SlotState::Free { next } => next,
                    SlotState::Used { .. } => None,
                };
                *slot = filled;
                key
            }
            None => {
                self.slots.push(filled);
                (self.slots.len() - 1) as u32
            }
        };
        self.order.push(Entry { at, serial, slot });
        self.sift_up(position);
        Ticket { serial, slot }
    }

    /// Takes the entry out, unless it was taken before.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let slot = self.slots.get(ticket.slot as usize)?;
        let position = match &slot.state {
            SlotState::Used { position, .. } if slot.serial == ticket.serial => *position as usize,
            _ => return None,
        };
        self.remove_at(position)
    }

    /// Takes out the first entry if its time has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        if self.next()? <= now { self.remove_at(0) } else { None }
    }

    fn remove_at(&mut self, position: usize) -> Option<T> {
        if position >= self.order.len() {
            return None;
        }
        let entry = self.order.swap_remove(position);
        if position < self.order.len() {
            let settled = self.sift_down(position);
            self.sift_up(settled);
        }
        let slot = self.slots.get_mut(entry.slot as usize)?;
        let state = std::mem::replace(&mut slot.state, SlotState::Free { next: self.free });
        self.free = Some(entry.slot);
        if self.order.is_empty() && self.slots.len() > 1024 {
            self.order = Vec::new();
            self.slots = Vec::new();
            self.free = None;
        }
        match state {
            SlotState::Used { item, .. } => Some(item),
            SlotState::Free { .. } => None,
        }
    }

    fn sift_up(&mut self, mut position: usize) {
        while position > 0 {
            let above = (position - 1) / ARITY;
            if !self.is_before(position, above) {
                break;
            }
            self.order.swap(position, above);
            self.note(position);
            position = above;
        }
        self.note(position);
    }

    /// Returns where the entry came to rest.
    fn sift_down(&mut self, mut position: usize) -> usize {
        loop {
            let first = position * ARITY + 1;
            let last = (first + ARITY).min(self.order.len());
            let mut least = position;
            for below in first..last {
                if self.is_before(below, least) {
                    least = below;
                }
            }
            if least == position {
                self.note(position);
                return position;
            }
            self.order.swap(position, least);
            self.note(position);
            position = least;
        }
    }

    fn is_before(&self, left: usize, right: usize) -> bool {
        match (self.order.get(left), self.order.get(right)) {
            (Some(left), Some(right)) => left.before(right),
            _ => false,
        }
    }

    /// Tells the slot of the entry at `position` where it is.
    fn note(&mut self, position: usize) {
        if let Some(entry) = self.order.get(position)
            && let Some(slot) = self.slots.get_mut(entry.slot as usize)
            && let SlotState::Used { position: own, .. } = &mut slot.state
        {
            *own = position as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Heap;
    use std::time::{Duration, Instant};

    #[test]
    fn gives_entries_in_order_of_time_the_younger_first() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let mut heap = Heap::new();
        for (i, millis) in [5, 3, 5, 1, 4, 1, 5].into_iter().enumerate() {
            heap.insert(at(millis), (millis, i));
        }
        assert_eq!(heap.next(), Some(at(1)));
        assert_eq!(heap.pop_due(start), None);
        let due: Vec<_> = std::iter::from_fn(|| heap.pop_due(at(5))).collect();
        assert_eq!(due, [(1, 5), (1, 3), (3, 1), (4, 4), (5, 6), (5, 2), (5, 0)]);
        assert_eq!(heap.next(), None);
    }

    #[test]
    fn removes_by_ticket_once_and_never_another() {
        let start = Instant::now();
        let mut heap = Heap::new();
        let mut state = 1_u64;
        let mut live = Vec::new();
        for round in 0..5000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = start + Duration::from_millis(state >> 54);
            live.push((at, round, heap.insert(at, round)));
            if state & 0b110_0000 != 0 && !live.is_empty() {
                let (_, item, ticket) = live.swap_remove((state >> 33) as usize % live.len());
                assert_eq!(heap.remove(ticket), Some(item));
                assert_eq!(heap.remove(ticket), None);
            }
        }
        live.sort_by_key(|(at, round, _)| (*at, u64::MAX - round));
        let end = start + Duration::from_secs(10);
        for (_, item, ticket) in live {
            assert_eq!(heap.pop_due(end), Some(item));
            assert_eq!(heap.remove(ticket), None, "it was taken before");
        }
        assert!(heap.pop_due(end).is_none());
    }
}
