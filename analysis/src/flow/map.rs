//! An ordered map that is copied in no time and compared in the time of what differs.
//!
//! Worlds are copied at every branch and compared wherever ways meet, and most of what they hold is
//! the same. So copies share what neither has changed: a treap whose nodes are counted, in which the
//! keys alone decide on the shape, so that equal maps are equal node by node.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use rustc_hash::FxHasher;

/// What is known of all values below a node together, so that a search can pass by.
pub(super) trait Mark: Clone + Default {
    /// Takes in another.
    fn add(&mut self, other: &Self);
}

impl Mark for () {
    fn add(&mut self, (): &()) {}
}

/// A value with its mark.
pub(super) trait Marked: Clone + PartialEq {
    /// What is known of it.
    type Mark: Mark;
    /// What is known of this one.
    fn mark(&self) -> Self::Mark;
}

/// The map.
pub(super) struct Map<K, V: Marked>(Link<K, V>);

type Link<K, V> = Option<Rc<Node<K, V>>>;

/// Is told of a key, of what it has in one map and in another, and says whether it wants more.
pub(super) type Each<'e, K, V> = dyn FnMut(&K, Option<&V>, Option<&V>) -> bool + 'e;

/// A node: its keys are between those below it on either side, its rank above theirs.
#[derive(Clone)]
struct Node<K, V: Marked> {
    rank: u64,
    key: K,
    value: V,
    /// Of the value, and of all values from here down.
    own: V::Mark,
    mark: V::Mark,
    left: Link<K, V>,
    right: Link<K, V>,
}

impl<K, V: Marked> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Map(self.0.clone())
    }
}

impl<K, V: Marked> Default for Map<K, V> {
    fn default() -> Self {
        Map(None)
    }
}

impl<K: Ord, V: Marked> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl<K: Clone + Ord + Hash, V: Marked> Map<K, V> {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let mut at = self.0.as_deref();
        while let Some(node) = at {
            at = match key.cmp(&node.key) {
                Ordering::Equal => return Some(&node.value),
                Ordering::Less => node.left.as_deref(),
                Ordering::Greater => node.right.as_deref(),
            };
        }
        None
    }

    /// Whether the key has a value.
    pub(super) fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Gives a key a value.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.get(&key) != Some(&value) {
            let rank = rank(&key);
            insert(&mut self.0, rank, key, value);
        }
    }

    /// Takes a key out.
    pub(super) fn remove(&mut self, key: &K) {
        if self.contains(key) {
            remove(&mut self.0, key);
        }
    }

    /// All keys and values in order.
    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { left: Vec::new(), forward: true };
        iter.descend(&self.0);
        iter
    }

    /// All keys and values, the last first.
    pub(super) fn iter_back(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { left: Vec::new(), forward: false };
        iter.descend(&self.0);
        iter
    }

    /// The keys from one on and before another.
    pub(super) fn keys_in(&self, from: &K, to: &K) -> Vec<K> {
        let mut found = Vec::new();
        keys_in(&self.0, from, to, &mut found);
        found
    }

    /// Tells of each key that does not have the same value in both, in order: with what it has here
    /// and what it has there. Whether `each` wanted all of them.
    pub(super) fn differences(&self, other: &Self, each: &mut Each<'_, K, V>) -> bool {
        differences(&self.0, &other.0, each)
    }

    /// Whether a value is found: only where a mark says it may be there it is looked for.
    pub(super) fn any(&self, may_be: &dyn Fn(&V::Mark) -> bool, is_it: &dyn Fn(&V) -> bool) -> bool {
        any(&self.0, may_be, is_it)
    }

    /// Changes values, where marks say that some may be to change; none where a value stays.
    pub(super) fn change(&mut self, may_be: &dyn Fn(&V::Mark) -> bool, to: &dyn Fn(&V) -> Option<V>) {
        change(&mut self.0, may_be, to);
    }
}

impl<K: Clone + Ord + Hash, V: Marked> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        let mut map = Map::default();
        all.into_iter().for_each(|(key, value)| map.insert(key, value));
        map
    }
}

impl<K, V: Marked> Node<K, V> {
    fn give(&mut self, value: V) {
        self.own = value.mark();
        self.value = value;
    }

    fn mark_anew(&mut self) {
        self.mark = self.own.clone();
        for below in [&self.left, &self.right].into_iter().flatten() {
            self.mark.add(&below.mark);
        }
    }
}

/// The keys and values of a map in one direction.
pub(super) struct Iter<'a, K, V: Marked> {
    /// The nodes to tell of, each before what is below it on its far side; the next one last.
    left: Vec<&'a Node<K, V>>,
    forward: bool,
}

impl<'a, K, V: Marked> Iter<'a, K, V> {
    fn descend(&mut self, link: &'a Link<K, V>) {
        let mut at = link;
        while let Some(node) = at {
            self.left.push(node);
            at = if self.forward { &node.left } else { &node.right };
        }
    }
}

impl<'a, K, V: Marked> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.left.pop()?;
        self.descend(if self.forward { &node.right } else { &node.left });
        Some((&node.key, &node.value))
    }
}

/// A key's rank: as good as random, and always the same.
fn rank(key: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    // The finish of SplitMix64: neighbours are ranked far apart.
    let mut mixed = hasher.finish();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn same<K: Ord, V: Marked>(ours: &Link<K, V>, theirs: &Link<K, V>) -> bool {
    match (ours, theirs) {
        (None, None) => true,
        (Some(ours), Some(theirs)) => {
            Rc::ptr_eq(ours, theirs)
                || ours.key == theirs.key
                    && ours.value == theirs.value
                    && same(&ours.left, &theirs.left)
                    && same(&ours.right, &theirs.right)
        }
        _ => false,
    }
}

fn insert<K: Clone + Ord, V: Marked>(link: &mut Link<K, V>, rank: u64, key: K, value: V) {
    let is_above = link.as_ref().is_none_or(|node| (rank, &key) > (node.rank, &node.key));
    if is_above {
        // Of lower rank than this key: it is nowhere below.
        let (left, right) = split(link.take(), &key);
        let mut node = Node { rank, key, own: value.mark(), mark: V::Mark::default(), value, left, right };
        node.mark_anew();
        *link = Some(Rc::new(node));
        return;
    }
    let Some(node) = link.as_mut().map(Rc::make_mut) else { return };
    match key.cmp(&node.key) {
        Ordering::Equal => node.give(value),
        Ordering::Less => insert(&mut node.left, rank, key, value),
        Ordering::Greater => insert(&mut node.right, rank, key, value),
    }
    node.mark_anew();
}

/// What is before a key, and what is behind it.
fn split<K: Clone + Ord, V: Marked>(link: Link<K, V>, key: &K) -> (Link<K, V>, Link<K, V>) {
    let Some(mut shared) = link else { return (None, None) };
    let node = Rc::make_mut(&mut shared);
    if node.key < *key {
        let (left, right) = split(node.right.take(), key);
        node.right = left;
        node.mark_anew();
        (Some(shared), right)
    } else {
        let (left, right) = split(node.left.take(), key);
        node.left = right;
        node.mark_anew();
        (left, Some(shared))
    }
}

fn remove<K: Clone + Ord, V: Marked>(link: &mut Link<K, V>, key: &K) {
    let Some(node) = link.as_mut().map(Rc::make_mut) else { return };
    match key.cmp(&node.key) {
        Ordering::Equal => {
            let (left, right) = (node.left.take(), node.right.take());
            *link = merge(left, right);
            return;
        }
        Ordering::Less => remove(&mut node.left, key),
        Ordering::Greater => remove(&mut node.right, key),
    }
    node.mark_anew();
}

/// One of two of which all keys of the first are before those of the second.
fn merge<K: Clone + Ord, V: Marked>(first: Link<K, V>, second: Link<K, V>) -> Link<K, V> {
    let (mut first, mut second) = match (first, second) {
        (Some(first), Some(second)) => (first, second),
        (first, second) => return first.or(second),
    };
    if (first.rank, &first.key) > (second.rank, &second.key) {
        let node = Rc::make_mut(&mut first);
        node.right = merge(node.right.take(), Some(second));
        node.mark_anew();
        Some(first)
    } else {
        let node = Rc::make_mut(&mut second);
        node.left = merge(Some(first), node.left.take());
        node.mark_anew();
        Some(second)
    }
}

fn keys_in<K: Clone + Ord, V: Marked>(link: &Link<K, V>, from: &K, to: &K, found: &mut Vec<K>) {
    let Some(node) = link else { return };
    if node.key >= *from {
        keys_in(&node.left, from, to, found);
        if node.key < *to {
            found.push(node.key.clone());
        }
    }
    if node.key < *to {
        keys_in(&node.right, from, to, found);
    }
}

fn differences<K: Clone + Ord, V: Marked>(ours: &Link<K, V>, theirs: &Link<K, V>, each: &mut Each<'_, K, V>) -> bool {
    let (x, y) = match (ours, theirs) {
        (None, None) => return true,
        (Some(x), None) => {
            return differences(&x.left, &None, each)
                && each(&x.key, Some(&x.value), None)
                && differences(&x.right, &None, each);
        }
        (None, Some(y)) => {
            return differences(&None, &y.left, each)
                && each(&y.key, None, Some(&y.value))
                && differences(&None, &y.right, each);
        }
        (Some(x), Some(y)) => (x, y),
    };
    if Rc::ptr_eq(x, y) {
        return true;
    }
    match (x.rank, &x.key).cmp(&(y.rank, &y.key)) {
        Ordering::Equal => {
            differences(&x.left, &y.left, each)
                && (x.value == y.value || each(&x.key, Some(&x.value), Some(&y.value)))
                && differences(&x.right, &y.right, each)
        }
        // The one of higher rank is not in the other map.
        Ordering::Greater => {
            let (left, right) = split(theirs.clone(), &x.key);
            differences(&x.left, &left, each)
                && each(&x.key, Some(&x.value), None)
                && differences(&x.right, &right, each)
        }
        Ordering::Less => {
            let (left, right) = split(ours.clone(), &y.key);
            differences(&left, &y.left, each)
                && each(&y.key, None, Some(&y.value))
                && differences(&right, &y.right, each)
        }
    }
}

fn any<K, V: Marked>(link: &Link<K, V>, may_be: &dyn Fn(&V::Mark) -> bool, is_it: &dyn Fn(&V) -> bool) -> bool {
    link.as_ref()
        .filter(|node| may_be(&node.mark))
        .is_some_and(|node| is_it(&node.value) || any(&node.left, may_be, is_it) || any(&node.right, may_be, is_it))
}

fn change<K: Clone, V: Marked>(link: &mut Link<K, V>, may_be: &dyn Fn(&V::Mark) -> bool, to: &dyn Fn(&V) -> Option<V>) {
    let Some(shared) = link.as_mut().filter(|node| may_be(&node.mark)) else { return };
    let node = Rc::make_mut(shared);
    if let Some(value) = to(&node.value) {
        node.give(value);
    }
    change(&mut node.left, may_be, to);
    change(&mut node.right, may_be, to);
    node.mark_anew();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    impl Marked for u8 {
        type Mark = Highest;
        fn mark(&self) -> Highest {
            Highest(*self)
        }
    }

    #[derive(Clone, Default)]
    pub(in crate::flow) struct Highest(u8);

    impl Mark for Highest {
        fn add(&mut self, other: &Highest) {
            self.0 = self.0.max(other.0);
        }
    }

    /// Marsaglia's xorshift.
    fn next(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed >> 20
    }

    fn listed(map: &Map<u32, u8>) -> Vec<(u32, u8)> {
        map.iter().map(|(key, value)| (*key, *value)).collect()
    }

    /// Everything that a map is asked, held against a plain one through changes of copies of it.
    #[test]
    fn is_a_map() {
        let mut seed = 0x9e37_79b9_7f4a_7c15;
        let mut kept: Vec<(Map<u32, u8>, BTreeMap<u32, u8>)> = vec![Default::default()];
        for turn in 0..4000 {
            let from = next(&mut seed) as usize % kept.len();
            let (mut map, mut plain) = kept[from].clone();
            let (key, value) = (next(&mut seed) as u32 % 40, next(&mut seed) as u8 % 4);
            if next(&mut seed).is_multiple_of(3) {
                map.remove(&key);
                plain.remove(&key);
            } else {
                map.insert(key, value);
                plain.insert(key, value);
            }
            let expected: Vec<(u32, u8)> = plain.iter().map(|(key, value)| (*key, *value)).collect();
            assert_eq!(listed(&map), expected);
            let back: Vec<(u32, u8)> = map.iter_back().map(|(key, value)| (*key, *value)).collect();
            assert!(back.iter().rev().eq(&expected));
            assert_eq!(map.get(&key), plain.get(&key));
            assert_eq!(map.is_empty(), plain.is_empty());
            let range: Vec<u32> = plain.range(10..key.max(10)).map(|(key, _)| *key).collect();
            assert_eq!(map.keys_in(&10, &key), range);
            let highest = plain.values().copied().max().unwrap_or(0);
            assert_eq!(map.0.as_ref().map_or(0, |node| node.mark.0), highest);
            assert_eq!(map.any(&|mark| mark.0 >= 3, &|value| *value == 3), plain.values().any(|value| *value == 3));

            let (other, other_plain) = &kept[next(&mut seed) as usize % kept.len()];
            let mut found = Vec::new();
            assert!(map.differences(other, &mut |key, ours, theirs| {
                found.push((*key, ours.copied(), theirs.copied()));
                true
            }));
            let keys: std::collections::BTreeSet<u32> = plain.keys().chain(other_plain.keys()).copied().collect();
            let both = keys.into_iter().map(|key| (key, plain.get(&key).copied(), other_plain.get(&key).copied()));
            assert_eq!(found, both.filter(|(_, ours, theirs)| ours != theirs).collect::<Vec<_>>());
            assert_eq!(map == *other, plain == *other_plain);
            let again: Map<u32, u8> = expected.iter().rev().copied().collect();
            assert!(again == map, "the order in which a map came to be leaves no trace");

            if turn % 8 == 0 {
                map.change(&|mark| mark.0 >= 2, &|value| (*value >= 2).then(|| value - 1));
                plain.values_mut().filter(|value| **value >= 2).for_each(|value| *value -= 1);
                assert!(listed(&map).into_iter().eq(plain.clone()));
            }
            if kept.len() < 60 { kept.push((map, plain)) } else { kept[from] = (map, plain) }
        }
    }

    /// Copies share what they did not change: their differences are found without looking at the rest.
    #[test]
    fn copies_share() {
        let map: Map<u32, Counted> = (0..10_000).map(|key| (key, Counted)).collect();
        let mut other = map.clone();
        other.remove(&5000);
        COMPARED.set(0);
        let mut count = 0;
        map.differences(&other, &mut |_, _, _| {
            count += 1;
            true
        });
        assert_eq!(count, 1);
        assert!(map != other);
        assert!(COMPARED.get() < 200, "{} values compared", COMPARED.get());
    }

    thread_local! {
        static COMPARED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }

    #[derive(Clone)]
    pub(in crate::flow) struct Counted;

    impl PartialEq for Counted {
        fn eq(&self, _: &Counted) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            true
        }
    }

    impl Marked for Counted {
        type Mark = ();
        fn mark(&self) {}
    }
}
