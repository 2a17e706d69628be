//! Work as messages, which can wait in a durable queue.

#[cfg(feature = "redb")]
mod file;

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redb")]
pub use self::file::FileSpill;
use super::error::{Outcome, SubmitError};
use super::job::SubmitHandle;
use super::operation::{Operation, Retry};
use super::shared::{Settling, Shared};
use super::work::{self, IntoOutcome, Work};
use crate::{Cause, Context};

/// How long to wait after a store has failed, or the pool has not taken a message after all.
const PAUSE: Duration = Duration::from_millis(100);

/// Work that can be stored: what is to be done, by the name of its handler, and with what.
///
/// ```
/// use context::pool::Message;
/// let message = Message { name: "mail".into(), payload: b"to: ada".to_vec() };
/// # drop(message);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The name of the [handler](super::Builder::handler).
    pub name: String,
    /// What the handler is given.
    pub payload: Vec<u8>,
}

/// A durable queue that a pool's overflow goes to.
///
/// Calls may block; the pool makes them on threads for that. Each message is stored until it is
/// removed, and the pool removes it only after it was handled: a message may be handled twice when
/// the process dies in between, and is never lost.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
/// use context::Cause;
/// use context::pool::{Message, Spill};
///
/// /// Survives nothing: for tests.
/// #[derive(Default)]
/// struct Memory(Mutex<BTreeMap<u64, Message>>);
///
/// impl Spill for Memory {
///     fn push(&self, message: &Message) -> Result<(), Cause> {
///         let mut kept = self.0.lock().map_err(|error| error.to_string())?;
///         let id = kept.last_key_value().map_or(0, |(last, _)| last + 1);
///         kept.insert(id, message.clone());
///         Ok(())
///     }
///
///     fn next(&self, after: Option<u64>) -> Result<Option<(u64, Message)>, Cause> {
///         let kept = self.0.lock().map_err(|error| error.to_string())?;
///         let from = after.map_or(0, |id| id + 1);
///         Ok(kept.range(from..).next().map(|(id, message)| (*id, message.clone())))
///     }
///
///     fn remove(&self, id: u64) -> Result<(), Cause> {
///         self.0.lock().map_err(|error| error.to_string())?.remove(&id);
///         Ok(())
///     }
/// }
/// # let memory = Memory::default();
/// # memory.push(&Message { name: "mail".into(), payload: Vec::new() })?;
/// # assert_eq!(memory.next(None)?.unwrap().0, 0);
/// # memory.remove(0)?;
/// # assert_eq!(memory.next(None)?, None);
/// # Ok::<_, Cause>(())
/// ```
pub trait Spill: Send + Sync + 'static {
    /// Stores a message at the end. On return it survives the death of the process.
    ///
    /// # Errors
    /// When it is not stored.
    ///
    /// ```
    /// # #[cfg(feature = "redb")] {
    /// # use context::pool::{FileSpill, Message, Spill};
    /// # let dir = tempfile::tempdir()?;
    /// # let spill = FileSpill::open(dir.path().join("spill.redb"))?;
    /// # let message = Message { name: "mail".into(), payload: Vec::new() };
    /// spill.push(&message)?;
    /// assert_eq!(spill.next(None)?.unwrap().1, message);
    /// # }
    /// # Ok::<_, context::Cause>(())
    /// ```
    fn push(&self, message: &Message) -> Result<(), Cause>;

    /// The first message after the one with the given id, or the very first. Ids grow in the
    /// order in which messages become visible, for as long as the store is open.
    ///
    /// # Errors
    /// When the store can not be read; the pool tries again later.
    ///
    /// ```
    /// # #[cfg(feature = "redb")] {
    /// # use context::pool::{FileSpill, Message, Spill};
    /// # let dir = tempfile::tempdir()?;
    /// # let spill = FileSpill::open(dir.path().join("spill.redb"))?;
    /// # let message = Message { name: "mail".into(), payload: Vec::new() };
    /// spill.push(&message)?;
    /// let (id, first) = spill.next(None)?.unwrap();
    /// assert_eq!((first, spill.next(Some(id))?), (message, None));
    /// # }
    /// # Ok::<_, context::Cause>(())
    /// ```
    fn next(&self, after: Option<u64>) -> Result<Option<(u64, Message)>, Cause>;

    /// Removes a message.
    ///
    /// # Errors
    /// When the store can not be written; the message is handled again after the next start.
    ///
    /// ```
    /// # #[cfg(feature = "redb")] {
    /// # use context::pool::{FileSpill, Message, Spill};
    /// # let dir = tempfile::tempdir()?;
    /// # let spill = FileSpill::open(dir.path().join("spill.redb"))?;
    /// # let message = Message { name: "mail".into(), payload: Vec::new() };
    /// spill.push(&message)?;
    /// let (id, _) = spill.next(None)?.unwrap();
    /// spill.remove(id)?;
    /// assert_eq!(spill.next(None)?, None);
    /// # }
    /// # Ok::<_, context::Cause>(())
    /// ```
    fn remove(&self, id: u64) -> Result<(), Cause>;
}

/// What became of a message that a pool has taken.
///
/// ```
/// use context::pool::Sent;
/// fn tell(sent: &Sent) -> &'static str {
///     match sent {
///         Sent::Queued(_) => "it will be done soon",
///         Sent::Spilled => "it will be done",
///         _ => "it was taken",
///     }
/// }
/// # let _ = tell;
/// ```
#[derive(Debug)]
pub enum Sent {
    /// It is in the pool's own queue.
    Queued(SubmitHandle),
    /// The queue was full, and it is in the durable one.
    Spilled,
}

/// Why a pool did not take a message.
///
/// ```
/// # use context::{Context, pool::{DetachedPool, SendError}};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let pool = DetachedPool::builder().build();
/// let sent = pool.send(&Context::background(), "no such handler", Vec::new()).await;
/// assert!(matches!(sent, Err(SendError::NoHandler)));
/// # });
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SendError {
    /// As with [`submit`](super::DetachedPool::submit). [`SubmitError::Full`] only without a
    /// durable queue.
    Refused(SubmitError),
    /// There is no handler of this name.
    NoHandler,
    /// The queue was full, and the durable one has failed.
    Store(Cause),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Refused(why) => why.fmt(f),
            SendError::NoHandler => f.write_str("there is no handler of this name"),
            SendError::Store(cause) => write!(f, "the durable queue has failed: {cause}"),
        }
    }
}

impl Error for SendError {}

/// Makes work of a payload.
type MakeWork = Box<dyn Fn(Vec<u8>) -> Work + Send + Sync>;

/// What handles messages, by name; and where they spill to.
#[derive(Default)]
pub(super) struct Messages {
    handlers: HashMap<String, (Retry, MakeWork)>,
    pub(super) spill: Option<Arc<dyn Spill>>,
}

impl Messages {
    pub(super) fn handle<F, Fut>(&mut self, name: String, retry: Retry, handler: F)
    where
        F: Fn(Context, Vec<u8>) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoOutcome,
    {
        let handler = Arc::new(handler);
        let make: MakeWork = Box::new(move |payload| {
            let handler = Arc::clone(&handler);
            work::many(move |ctx| handler(ctx, payload.clone()))
        });
        self.handlers.insert(name, (retry, make));
    }
}

pub(super) async fn send(shared: &Arc<Shared>, ctx: &Context, message: Message) -> Result<Sent, SendError> {
    match submit(shared, ctx, &message) {
        Ok(handle) => return Ok(Sent::Queued(handle)),
        Err(SendError::Refused(SubmitError::Full)) => {}
        Err(error) => return Err(error),
    }
    let Some(spill) = shared.messages().spill.clone() else { return Err(SendError::Refused(SubmitError::Full)) };
    blocking(move || spill.push(&message)).await.map_err(SendError::Store)?;
    shared.spilled();
    Ok(Sent::Spilled)
}

fn submit(shared: &Arc<Shared>, ctx: &Context, message: &Message) -> Result<SubmitHandle, SendError> {
    let (retry, make) = shared.messages().handlers.get(&message.name).ok_or(SendError::NoHandler)?;
    let operation = Operation::new(message.name.clone());
    let work = make(message.payload.clone());
    Shared::submit(shared, ctx, operation, *retry, work).map_err(SendError::Refused)
}

async fn blocking<T: Send + 'static>(call: impl FnOnce() -> Result<T, Cause> + Send + 'static) -> Result<T, Cause> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        Err(error) => Err(Cause::from(error)),
    }
}

/// Brings messages back, one at a time whenever the pool's own queue is empty, from what an
/// earlier process has left on; until the pool takes no more.
pub(super) async fn refill(shared: Arc<Shared>, spill: Arc<dyn Spill>) {
    let mut after = None;
    while shared.has_room().await {
        let seen = shared.spills();
        let store = Arc::clone(&spill);
        match blocking(move || store.next(after)).await {
            Ok(Some((id, message))) => {
                if handle(&shared, &spill, id, &message) {
                    after = Some(id);
                } else {
                    pause().await;
                }
            }
            Ok(None) => shared.until_spilled(seen).await,
            Err(_) => pause().await,
        }
    }
}

async fn pause() {
    // The background never ends.
    let _ = Context::background().sleep(PAUSE).await;
}

/// Whether the message needs no further look in this process.
fn handle(shared: &Arc<Shared>, spill: &Arc<dyn Spill>, id: u64, message: &Message) -> bool {
    let settling = Settling::new(shared);
    match submit(shared, &Context::background(), message) {
        Ok(handle) => {
            let store = Arc::clone(spill);
            tokio::spawn(async move {
                let _settling = settling;
                // What was cut stays for the next start.
                if !matches!(handle.wait().await, Outcome::Cut) {
                    // If this fails the message is handled once more after the next start.
                    let _ = blocking(move || store.remove(id)).await;
                }
            });
            true
        }
        Err(SendError::Refused(_)) => false,
        // It stays for a version that knows it.
        Err(SendError::NoHandler | SendError::Store(_)) => true,
    }
}
