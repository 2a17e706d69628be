//! Nodes that are not cancellable themselves: values, detachments, changes of owner.

use std::any::{Any, TypeId, type_name};

use crate::Context;
use crate::key::Key;
use crate::node::CancelNode;
use crate::reap::reap;
use crate::sync::Arc;

/// A view of `parent` that adds an entry, or another lifetime.
pub(crate) struct View<E: ?Sized = dyn Entry> {
    parent: Context,
    /// Whose lifetime the view has; `None` for a detached one.
    owner: Option<Arc<CancelNode>>,
    key_type: TypeId,
    entry: E,
}

/// What a view adds to its parent.
pub(crate) trait Entry: Send + Sync + 'static {
    /// The value under `key`, which has the view's key type. `None` if the keys differ.
    fn value(&self, key: &dyn Any) -> Option<&dyn Any>;
    fn kind(&self) -> Kind<'_>;
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
        Arc::new(View { parent, owner, key_type: TypeId::of::<K>(), entry: Pair { key, value } })
    }

    pub(crate) fn detached(parent: Context) -> Arc<View> {
        Arc::new(View { parent, owner: None, key_type: TypeId::of::<NoKey>(), entry: Detached })
    }

    pub(crate) fn reparented(parent: Context, to: Context) -> Arc<View> {
        let owner = to.owner().cloned();
        Arc::new(View { parent, owner, key_type: TypeId::of::<NoKey>(), entry: Reparented(to) })
    }

    pub(crate) fn parent(&self) -> &Context {
        &self.parent
    }

    pub(crate) fn owner(&self) -> Option<&Arc<CancelNode>> {
        self.owner.as_ref()
    }

    pub(crate) fn kind(&self) -> Kind<'_> {
        self.entry.kind()
    }

    /// The value of this view if it is an entry under `key`, of type `key_type`.
    pub(crate) fn own_value(&self, key_type: TypeId, key: &dyn Any) -> Option<&dyn Any> {
        if self.key_type == key_type { self.entry.value(key) } else { None }
    }
}

impl<E: ?Sized> Drop for View<E> {
    fn drop(&mut self) {
        reap(std::mem::take(&mut self.parent));
    }
}

struct Pair<K, V> {
    key: K,
    value: V,
}

impl<K: Key, V: Any + Send + Sync> Entry for Pair<K, V> {
    fn value(&self, key: &dyn Any) -> Option<&dyn Any> {
        (key.downcast_ref::<K>()? == &self.key).then_some(&self.value as &dyn Any)
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Value(type_name::<K>())
    }
}

/// The key type of views without a key: private, so that no look-up asks for it.
struct NoKey;

struct Detached;

impl Entry for Detached {
    fn value(&self, _key: &dyn Any) -> Option<&dyn Any> {
        None
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Detached
    }
}

struct Reparented(Context);

impl Entry for Reparented {
    fn value(&self, _key: &dyn Any) -> Option<&dyn Any> {
        None
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Reparented(&self.0)
    }
}

impl Drop for Reparented {
    fn drop(&mut self) {
        reap(std::mem::take(&mut self.0));
    }
}
