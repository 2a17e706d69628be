//! References to a node, counted as std's `Arc` and `Weak` count.
//!
//! A child comes into the world with three references to it: its context's, its handle's, and the
//! weak one in its parent's list. Here they come with the allocation. With `Arc` two of them cost
//! an atomic read-modify-write each, a third of what there is to making a child, and the counts
//! take 8 bytes more.
//!
//! What the unsafe code rests on:
//!
//! 1. `strong` counts the [`Ref`]s. All of them together own one count of `weak`; each [`Link`]
//!    owns one, too. So does the [`Last`], which the last `Ref` becomes: it takes over theirs.
//! 2. The value is alive from the allocation until a `Last` drops it, and there is one `Last`,
//!    made when `strong` becomes 0, which it then stays: `upgrade` leaves a 0 alone.
//! 3. The block is allocated until `weak` becomes 0, and whoever lowers it to that frees it.
//! 4. A count is lowered with `Release`, and who finds that it was the last reads it with
//!    `Acquire`: all that others did with what is dropped or freed has happened before.
#![expect(unsafe_code, reason = "a third of the cost of a child")]

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::sync::{AtomicU32, Ordering};

struct Counts {
    strong: AtomicU32,
    weak: AtomicU32,
}

struct Block<T> {
    counts: Counts,
    /// Dropped by the [`Last`], before the block is freed.
    value: ManuallyDrop<T>,
}

/// Counts beyond this end the process: they would be wrong soon after.
const MOST: u32 = u32::MAX / 2;

/// One more reference.
fn raise(count: &AtomicU32) {
    // Whoever raises a count has a reference already, and with it all that it needs to see.
    if count.fetch_add(1, Ordering::Relaxed) > MOST {
        std::process::abort();
    }
}

/// Keeps the value alive.
pub(crate) struct Ref<T>(NonNull<Block<T>>);

/// Keeps the block, not the value.
pub(crate) struct Link<T>(NonNull<Block<T>>);

/// The value when its last [`Ref`] is gone: drops it.
pub(crate) struct Last<T>(Link<T>);

// SAFETY: as for `Arc`: what is shared is the value, which has to be `Sync`, and any thread may be
// the one that drops it, for which it has to be `Send`. The counts are atomics.
unsafe impl<T: Send + Sync> Send for Ref<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Ref<T> {}
// SAFETY: as above; a link can become a reference.
unsafe impl<T: Send + Sync> Send for Link<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Link<T> {}

impl<T> Ref<T> {
    /// Two references to a new value.
    #[inline]
    pub(crate) fn pair(value: T) -> (Ref<T>, Ref<T>) {
        let block = Block::allocate(2, 1, value);
        (Ref(block), Ref(block))
    }

    /// Two references to a new value, and a link to it.
    #[inline]
    pub(crate) fn pair_and_link(value: T) -> (Ref<T>, Ref<T>, Link<T>) {
        let block = Block::allocate(2, 2, value);
        (Ref(block), Ref(block), Link(block))
    }

    #[inline]
    fn counts(&self) -> &Counts {
        // SAFETY: allocated, by 1 and 3: `strong` is not 0 while there is a `Ref`, so its count of
        // `weak` is there.
        unsafe { &(*self.0.as_ptr()).counts }
    }

    pub(crate) fn downgrade(&self) -> Link<T> {
        raise(&self.counts().weak);
        Link(self.0)
    }

    /// Lets go of the value, without dropping it if this was the last reference.
    #[inline]
    pub(crate) fn release(self) -> Option<Last<T>> {
        let this = ManuallyDrop::new(self);
        let strong = &this.counts().strong;
        if strong.fetch_sub(1, Ordering::Release) != 1 {
            return None;
        }
        strong.load(Ordering::Acquire);
        Some(Last(Link(this.0)))
    }

    /// The same for all references to one value, and for no others at the time.
    pub(crate) fn address(&self) -> *const () {
        self.0.as_ptr().cast_const().cast()
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: allocated, as above, and alive, by 2.
        unsafe { &(*self.0.as_ptr()).value }
    }
}

impl<T> Clone for Ref<T> {
    #[inline]
    fn clone(&self) -> Ref<T> {
        raise(&self.counts().strong);
        Ref(self.0)
    }
}

impl<T> Drop for Ref<T> {
    #[inline]
    fn drop(&mut self) {
        // The count is lowered once: what is released here is not dropped.
        drop(Ref(self.0).release());
    }
}

impl<T> Link<T> {
    /// Not the whole block: its value may be in the middle of its drop.
    #[inline]
    fn counts(&self) -> &Counts {
        // SAFETY: allocated, by 3: the link owns a count of `weak`.
        unsafe { &(*self.0.as_ptr()).counts }
    }

    /// A reference, unless the value is being dropped or gone.
    #[inline]
    pub(crate) fn upgrade(&self) -> Option<Ref<T>> {
        let strong = &self.counts().strong;
        let raised = |count: u32| if count == 0 { None } else { Some(count.wrapping_add(1)) };
        // `Acquire`, for the value's making has to be seen by who could not see it by itself.
        let count = strong.fetch_update(Ordering::Acquire, Ordering::Relaxed, raised).ok()?;
        if count > MOST {
            std::process::abort();
        }
        Some(Ref(self.0))
    }
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Link<T> {
        raise(&self.counts().weak);
        Link(self.0)
    }
}

impl<T> Drop for Link<T> {
    #[inline]
    fn drop(&mut self) {
        let weak = &self.counts().weak;
        // The only count left is this one: then nobody is there who could raise it meanwhile, and
        // it needs not to be lowered.
        let last = weak.load(Ordering::Acquire) == 1 || weak.fetch_sub(1, Ordering::Release) == 1;
        if last {
            weak.load(Ordering::Acquire);
            // SAFETY: it came from a box, in `allocate`, and is freed once, by 3. The value is not
            // dropped with it.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl<T> Drop for Last<T> {
    #[inline]
    fn drop(&mut self) {
        let block = self.0.0.as_ptr();
        // SAFETY: allocated until `self.0` is dropped, after this, also if this unwinds. Nobody
        // else has a reference to the value or can get one, and it is dropped once, by 2.
        unsafe { ManuallyDrop::drop(&mut (*block).value) };
    }
}

impl<T> Block<T> {
    #[inline]
    fn allocate(strong: u32, weak: u32, value: T) -> NonNull<Block<T>> {
        let counts = Counts { strong: AtomicU32::new(strong), weak: AtomicU32::new(weak) };
        NonNull::from(Box::leak(Box::new(Block { counts, value: ManuallyDrop::new(value) })))
    }
}
