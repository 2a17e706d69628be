//! Nodes that are not cancellable themselves: values, detachments, changes of owner.

use std::any::{Any, TypeId, type_name};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::Context;
use crate::key::Key;
use crate::node::CancelNode;
use crate::reap::reap;
use crate::refs::Ref;
use crate::sync::Arc;

/// A view of `parent` that adds an entry, or has another lifetime.
pub(crate) struct View {
    parent: Context,
    /// Whose lifetime the view has; `None` for a detached one.
    owner: Option<Ref<CancelNode>>,
    /// The types of the keys from here to the root, as a Bloom filter: a look-up of a type that
    /// is not there ends at once.
    key_types: u64,
    entry: Entry,
}

enum Entry {
    /// The key's type is kept outside of the box, so that a look-up passes by other types
    /// without following one more pointer.
    Value(TypeId, Box<dyn Slot>),
    Detached,
    Reparented(Context),
}

/// For printing.
pub(crate) enum Kind<'a> {
    /// The name of the key's type.
    Value(&'static str),
    Detached,
    Reparented(&'a Context),
}

impl View {
    pub(crate) fn with_value<K: Key, V: Any + Send + Sync>(parent: Context, key: K, value: V) -> Arc<View> {
        let owner = parent.owner().cloned();
        let key_type = TypeId::of::<K>();
        let key_types = key_types_of(&parent) | filter_bit(key_type);
        let entry = Entry::Value(key_type, Box::new(Pair { key, value }));
        Arc::new(View { parent, owner, key_types, entry })
    }

    pub(crate) fn detached(parent: Context) -> Arc<View> {
        let key_types = key_types_of(&parent);
        Arc::new(View { parent, owner: None, key_types, entry: Entry::Detached })
    }

    pub(crate) fn reparented(parent: Context, to: Context) -> Arc<View> {
        let owner = to.owner().cloned();
        let key_types = key_types_of(&parent);
        Arc::new(View { parent, owner, key_types, entry: Entry::Reparented(to) })
    }

    pub(crate) fn parent(&self) -> &Context {
        &self.parent
    }

    pub(crate) fn owner(&self) -> Option<&Ref<CancelNode>> {
        self.owner.as_ref()
    }

    pub(crate) fn kind(&self) -> Kind<'_> {
        match &self.entry {
            Entry::Value(_, slot) => Kind::Value(slot.key_type_name()),
            Entry::Detached => Kind::Detached,
            Entry::Reparented(owner) => Kind::Reparented(owner),
        }
    }

    /// The value under `key`: of this view or, if it has none, of the nearest one above. `None`
    /// also if that value is not a `V`.
    pub(crate) fn value<K: Key, V: Any>(&self, key: &K) -> Option<&V> {
        let key_type = TypeId::of::<K>();
        if self.key_types & filter_bit(key_type) == 0 {
            return None;
        }
        let mut view = self;
        loop {
            if let Entry::Value(own_type, slot) = &view.entry
                && *own_type == key_type
            {
                let any: &dyn Any = &**slot;
                match any.downcast_ref::<Pair<K, V>>() {
                    Some(pair) if pair.key == *key => return Some(&pair.value),
                    Some(_) => {}
                    None if slot.has_key(key) => return None,
                    None => {}
                }
            }
            view = nearest(&view.parent)?;
        }
    }
}

/// The nearest view from `ctx` to the root.
pub(crate) fn nearest(mut ctx: &Context) -> Option<&View> {
    loop {
        match ctx.repr() {
            crate::context::Repr::View(view) => return Some(view),
            _ => ctx = ctx.parent()?,
        }
    }
}

fn key_types_of(ctx: &Context) -> u64 {
    nearest(ctx).map_or(0, |view| view.key_types)
}

fn filter_bit(key_type: TypeId) -> u64 {
    1 << (BuildHasherDefault::<FirstWord>::default().hash_one(key_type) & 63)
}

/// Takes the hash that a `TypeId` is made of as it is.
#[derive(Default)]
struct FirstWord(u64);

impl std::hash::Hasher for FirstWord {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        self.0 = hasher.finish();
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Entry::Reparented(owner) = &mut self.entry {
            reap(std::mem::take(owner));
        }
        reap(std::mem::take(&mut self.parent));
    }
}

/// A key and a value of any types.
trait Slot: Any + Send + Sync {
    /// Whether the key is equal to `key`.
    fn has_key(&self, key: &dyn Any) -> bool;
    fn key_type_name(&self) -> &'static str;
}

struct Pair<K, V> {
    key: K,
    value: V,
}

impl<K: Key, V: Any + Send + Sync> Slot for Pair<K, V> {
    fn has_key(&self, key: &dyn Any) -> bool {
        key.downcast_ref::<K>().is_some_and(|key| *key == self.key)
    }

    fn key_type_name(&self) -> &'static str {
        type_name::<K>()
    }
}
