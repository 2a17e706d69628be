use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Message, Spill};
use crate::Cause;

const MESSAGES: TableDefinition<'_, u64, (&str, &[u8])> = TableDefinition::new("messages");

/// A durable queue in a file: a `redb` database.
///
/// Only one process can have it open at a time.
///
/// ```
/// use context::pool::{FileSpill, Message, Spill};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("spill.redb");
/// let spill = FileSpill::open(&path)?;
/// let message = Message { name: "mail".into(), payload: b"to: ada".to_vec() };
/// spill.push(&message)?;
/// assert_eq!(spill.next(None)?, Some((0, message)));
/// # Ok::<_, context::Cause>(())
/// ```
pub struct FileSpill {
    file: Database,
    /// The id of the next message; changed by whoever may write.
    next: AtomicU64,
}

impl FileSpill {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// When it can not be opened, is not such a file, or another process has it open.
    ///
    /// ```
    /// use context::pool::FileSpill;
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("spill.redb");
    /// let spill = FileSpill::open(&path)?;
    /// assert!(FileSpill::open(&path).is_err(), "it is open already");
    /// # drop(spill);
    /// # Ok::<_, context::Cause>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<FileSpill, Cause> {
        let file = Database::create(path)?;
        let writing = file.begin_write()?;
        let last = writing.open_table(MESSAGES)?.last()?.map(|(id, _)| id.value());
        writing.commit()?;
        Ok(FileSpill { file, next: AtomicU64::new(last.map_or(0, |id| id.saturating_add(1))) })
    }

    fn try_push(&self, message: &Message) -> Result<(), redb::Error> {
        // One writes at a time, so that ids are committed in their order.
        let writing = self.file.begin_write()?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        writing.open_table(MESSAGES)?.insert(id, (message.name.as_str(), message.payload.as_slice()))?;
        Ok(writing.commit()?)
    }

    fn try_next(&self, after: Option<u64>) -> Result<Option<(u64, Message)>, redb::Error> {
        let from = after.map_or(0, |id| id.saturating_add(1));
        let table = self.file.begin_read()?.open_table(MESSAGES)?;
        let Some(first) = table.range(from..)?.next() else { return Ok(None) };
        let (id, stored) = first?;
        let (name, payload) = stored.value();
        Ok(Some((id.value(), Message { name: name.to_owned(), payload: payload.to_vec() })))
    }

    fn try_remove(&self, id: u64) -> Result<(), redb::Error> {
        let writing = self.file.begin_write()?;
        writing.open_table(MESSAGES)?.remove(id)?;
        Ok(writing.commit()?)
    }
}

impl Spill for FileSpill {
    fn push(&self, message: &Message) -> Result<(), Cause> {
        Ok(self.try_push(message)?)
    }

    fn next(&self, after: Option<u64>) -> Result<Option<(u64, Message)>, Cause> {
        Ok(self.try_next(after)?)
    }

    fn remove(&self, id: u64) -> Result<(), Cause> {
        Ok(self.try_remove(id)?)
    }
}

impl fmt::Debug for FileSpill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSpill").field("next", &self.next).finish_non_exhaustive()
    }
}
