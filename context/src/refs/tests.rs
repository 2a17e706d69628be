use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;

use super::*;

struct Counted<'a>(&'a Cell<u32>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn the_value_is_dropped_with_its_last_reference_once() {
    let drops = Cell::new(0);
    let (a, b, link) = Ref::pair_and_link(Counted(&drops));
    assert_eq!(a.address(), b.address());
    let c = link.upgrade().unwrap();
    drop((a, b));
    let d = c.clone();
    drop(c);
    assert_eq!(drops.get(), 0);
    assert_eq!(Deref::deref(&d).0.get(), 0);
    drop(d);
    assert_eq!(drops.get(), 1);
    assert!(link.upgrade().is_none());
    assert!(link.clone().upgrade().is_none());
    drop(link);
    let (a, b) = Ref::pair(Counted(&drops));
    let link = b.downgrade();
    drop((link, a, b));
    assert_eq!(drops.get(), 2);
}

#[test]
fn a_released_value_waits_for_its_last() {
    let drops = Cell::new(0);
    let (a, b, link) = Ref::pair_and_link(Counted(&drops));
    assert!(a.release().is_none());
    let last = b.release().unwrap();
    assert_eq!((drops.get(), link.upgrade().is_none()), (0, true));
    drop(link);
    drop(last);
    assert_eq!(drops.get(), 1);
}

#[test]
fn a_drop_that_panics_frees_the_block() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let (a, b, link) = Ref::pair_and_link(Panics);
    drop(a);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(b))).is_err());
    assert!(link.upgrade().is_none());
}

#[test]
fn threads_that_clone_upgrade_and_drop_agree_on_the_last() {
    struct OnDrop(Arc<AtomicUsize>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let drops = Arc::new(AtomicUsize::new(0));
    for round in 1..=200 {
        let (a, b, link) = Ref::pair_and_link(OnDrop(drops.clone()));
        thread::scope(|scope| {
            scope.spawn(move || drop((a.clone(), a)));
            scope.spawn(move || drop((b.downgrade().upgrade(), b)));
            let other = link.clone();
            scope.spawn(move || drop((link.upgrade(), link)));
            scope.spawn(move || drop((other.upgrade().inspect(|found| drop(found.downgrade())), other)));
        });
        assert_eq!(drops.load(std::sync::atomic::Ordering::SeqCst), round);
    }
}
