use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::builder::Builder;
use super::error::{DeadLetter, Outcome, SubmitError};
use super::failures::{Failures, RecentFailure};
use super::job::{InFlight, Job, Plan, Rank, SubmitHandle};
use super::measure;
use super::operation::{Operation, Retry};
use super::spill::Messages;
use super::work::Work;
use crate::walk::contain;
use crate::{CancelCauseHandle, Cause, Context, unwind};

/// What the pool, its workers and its operations have in common.
pub(super) struct Shared {
    state: Mutex<State>,
    settings: Builder,
    /// Notified when there is something in the queue, or nothing more to come.
    work: Notify,
    /// Notified when the pool becomes idle, or has work again.
    activity: Notify,
    /// Notified when the queue becomes empty, or no work is taken any more.
    room: Notify,
    /// How many messages were spilled.
    spills: watch::Sender<u64>,
    failures: Failures,
    /// The lifetime of all operations.
    ctx: Context,
    cut: CancelCauseHandle,
}

#[derive(Default)]
struct State {
    workers: usize,
    next: u64,
    /// What waits for a worker, with the attempts made.
    queue: BTreeMap<Rank, (Arc<Job>, u32)>,
    /// What waits for its next attempt.
    pausing: BTreeMap<u64, Arc<Job>>,
    running: BTreeMap<u64, (Arc<Job>, InFlight)>,
    /// How much accepted work each tenant has: no entry without any.
    tenants: HashMap<String, usize>,
    /// How many are on no list any more, and have not been told of yet.
    ending: usize,
    draining: bool,
    /// Nobody can submit any more.
    closed: bool,
}

/// What a pool does at one moment.
#[cfg(feature = "status")]
pub(super) struct Snapshot {
    pub(super) workers: usize,
    /// How many may wait, besides those that free workers are about to take.
    pub(super) capacity: usize,
    pub(super) queued: usize,
    /// How many wait for their next attempt.
    pub(super) pausing: usize,
    pub(super) running: Vec<InFlight>,
    pub(super) draining: bool,
}

impl State {
    fn release(&mut self, tenant: &str) {
        if let Some(has) = self.tenants.get_mut(tenant) {
            *has = has.saturating_sub(1);
            if *has == 0 {
                self.tenants.remove(tenant);
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.running.is_empty() && self.pausing.is_empty() && self.ending == 0
    }
}

impl Shared {
    pub(super) fn new(settings: Builder, workers: usize) -> Shared {
        let (ctx, cut) = Context::background().with_cancel_cause();
        let state = Mutex::new(State { workers, ..State::default() });
        let (work, activity, room) = (Notify::new(), Notify::new(), Notify::new());
        let (spills, failures) = (watch::Sender::new(0), Failures::default());
        Shared { state, settings, work, activity, room, spills, failures, ctx, cut }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(
        this: &Arc<Shared>,
        ctx: &Context,
        operation: Operation,
        retry: Retry,
        work: Work,
    ) -> Result<SubmitHandle, SubmitError> {
        let name = operation.name.clone();
        let accepted = this.accept(ctx, operation, retry, work);
        match &accepted {
            Ok(_) => measure::submitted(&name),
            Err(why) => measure::refused(&name, *why),
        }
        let job = accepted?;
        this.work.notify_one();
        this.activity.notify_waiters();
        Ok(SubmitHandle { job, shared: Arc::clone(this) })
    }

    fn accept(&self, ctx: &Context, operation: Operation, retry: Retry, work: Work) -> Result<Arc<Job>, SubmitError> {
        let quota = self.settings.quota.as_ref();
        let tenant = quota.and_then(|quota| (quota.tenant)(ctx));
        #[cfg(feature = "tracing")]
        let ctx = &crate::tracing::ContextExt::with_current_span(ctx);
        let owned = ctx.reparent(&self.ctx);
        let Operation { name, priority, timeout } = operation;
        let timeout = timeout.unwrap_or(self.settings.timeout);

        let mut state = self.lock();
        if state.draining {
            return Err(SubmitError::Draining);
        }
        // What waits may take the workers that are free, and the queue.
        let free = state.workers.saturating_sub(state.running.len());
        if state.queue.len() >= free.saturating_add(self.settings.queue) {
            return Err(SubmitError::Full);
        }
        if let (Some(quota), Some(tenant)) = (quota, &tenant) {
            let has = state.tenants.get(tenant).copied().unwrap_or(0);
            if has >= quota.most {
                return Err(SubmitError::Quota);
            }
            state.tenants.insert(tenant.clone(), has + 1);
        }
        let rank = (Reverse(priority), state.next);
        state.next += 1;
        let job = Arc::new(Job::new(Plan { rank, name, tenant, timeout, retry }, &owned, work));
        state.queue.insert(rank, (Arc::clone(&job), 0));
        Ok(job)
    }

    /// The next operation for a worker, already on the list of those that run; `None` when there
    /// will be no more.
    async fn next(&self) -> Option<(Arc<Job>, u32)> {
        loop {
            let changed = self.work.notified();
            {
                let mut state = self.lock();
                if let Some((rank, (job, attempts))) = state.queue.pop_first() {
                    let (name, tenant) = (job.name.clone(), job.tenant.clone());
                    let entry = InFlight { name, tenant, since: Instant::now(), attempt: attempts + 1 };
                    state.running.insert(rank.1, (Arc::clone(&job), entry));
                    drop(state);
                    self.room.notify_waiters();
                    return Some((job, attempts + 1));
                }
                // What pauses comes back to the queue.
                if state.closed && state.pausing.is_empty() {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Takes an operation that was stopped from the queue. One that runs or pauses sees the end of
    /// its context itself.
    pub(super) fn remove_stopped(&self, job: &Arc<Job>) {
        let removed = {
            let mut state = self.lock();
            let removed = state.queue.remove(&job.rank);
            state.ending += usize::from(removed.is_some());
            removed
        };
        if let Some((job, attempts)) = removed {
            measure::unqueued(&job.name);
            self.end(&job, attempts, self.verdict(&job));
        }
    }

    /// Why an operation ended that was not its own doing.
    fn verdict(&self, job: &Job) -> Outcome {
        match () {
            () if self.ctx.is_done() => Outcome::Cut,
            () if job.ctx.is_done() => Outcome::Stopped,
            () => Outcome::TimedOut,
        }
    }

    /// Tells of an operation that has ended for good. It is on no list any more, and counted as
    /// ending.
    fn end(&self, job: &Arc<Job>, attempts: u32, outcome: Outcome) {
        contain(|| drop(job.take_work()));
        if let Some(tenant) = &job.tenant {
            self.lock().release(tenant);
        }
        measure::ended(&job.name, &outcome);
        self.report(job, attempts, &outcome);
        job.end(Arc::new(outcome));
        let idle = {
            let mut state = self.lock();
            state.ending = state.ending.saturating_sub(1);
            state.is_idle()
        };
        if idle {
            self.activity.notify_waiters();
        }
        // A closed pool's workers look whether this was the last.
        self.work.notify_waiters();
        self.room.notify_waiters();
    }

    fn report(&self, job: &Job, attempts: u32, outcome: &Outcome) {
        if matches!(outcome, Outcome::Succeeded | Outcome::Stopped) {
            return;
        }
        let (name, tenant) = (job.name.clone(), job.tenant.clone());
        let letter = DeadLetter { name, tenant, attempts, outcome: outcome.clone() };
        // Both may run foreign code that panics: the drop of an older failure's cause, and the sink.
        contain(|| self.failures.remember(letter.clone()));
        if let Some(sink) = &self.settings.dead_letters {
            contain(|| sink(letter));
        }
    }

    pub(super) fn recent_failures(&self) -> Vec<RecentFailure> {
        self.failures.latest()
    }

    pub(super) fn inflight(&self) -> Vec<InFlight> {
        self.lock().running.values().map(|(_, entry)| entry.clone()).collect()
    }

    pub(super) fn queued(&self) -> usize {
        self.lock().queue.len()
    }

    #[cfg(feature = "status")]
    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot {
            workers: state.workers,
            capacity: self.settings.queue,
            queued: state.queue.len(),
            pausing: state.pausing.len(),
            running: state.running.values().map(|(_, entry)| entry.clone()).collect(),
            draining: state.draining,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.lock().is_idle()
    }

    pub(super) fn is_draining(&self) -> bool {
        self.lock().draining
    }

    pub(super) fn refuse(&self) {
        self.lock().draining = true;
        self.stop_refilling();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_waiters();
        self.stop_refilling();
    }

    pub(super) fn messages(&self) -> &Messages {
        &self.settings.messages
    }

    /// A message is in the durable queue.
    pub(super) fn spilled(&self) {
        self.spills.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn spills(&self) -> u64 {
        *self.spills.borrow()
    }

    /// Waits until more was spilled than then, or nothing is to be brought back any more.
    pub(super) async fn until_spilled(&self, seen: u64) {
        let mut spills = self.spills.subscribe();
        let _ = spills.wait_for(|count| *count != seen).await;
    }

    fn stop_refilling(&self) {
        self.room.notify_waiters();
        self.spilled();
    }

    /// Waits until the queue is empty; false when nothing is to be brought back any more.
    pub(super) async fn has_room(&self) -> bool {
        loop {
            let changed = self.room.notified();
            {
                let state = self.lock();
                if state.draining || state.closed {
                    return false;
                }
                if state.queue.is_empty() && state.running.len() < state.workers {
                    return true;
                }
            }
            changed.await;
        }
    }

    pub(super) async fn until(&self, condition: impl Fn(&Shared) -> bool) {
        loop {
            let changed = self.activity.notified();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// Ends all operations; the names of those that had not.
    pub(super) fn cut(&self, cause: Option<Cause>) -> Vec<Cow<'static, str>> {
        let (names, queue) = {
            let mut state = self.lock();
            let queue = std::mem::take(&mut state.queue);
            state.ending += queue.len();
            let running = state.running.values().map(|(job, _)| job);
            let all = running.chain(state.pausing.values()).chain(queue.values().map(|(job, _)| job));
            (all.map(|job| job.name.clone()).collect(), queue)
        };
        let why = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        self.cut.cancel(format!("the pool was cut off{why}"));
        for (job, attempts) in queue.into_values() {
            measure::unqueued(&job.name);
            self.end(&job, attempts, Outcome::Cut);
        }
        names
    }
}

/// A worker, until it is dropped.
pub(super) struct Worker(pub(super) Arc<Shared>);

/// Runs operations until there are no more.
pub(super) async fn work(worker: Worker) {
    while let Some((job, attempt)) = worker.0.next().await {
        let mut running = Running { shared: Arc::clone(&worker.0), job, attempt, outcome: Outcome::Cut };
        running.outcome = running.run().await;
    }
}

impl Drop for Worker {
    /// The last worker leaves before the pool is done when the runtime is shut down.
    fn drop(&mut self) {
        let last = {
            let mut state = self.0.lock();
            state.workers = state.workers.saturating_sub(1);
            state.draining |= state.workers == 0;
            state.workers == 0
        };
        if last {
            self.0.stop_refilling();
            self.0.cut(None);
        }
    }
}

/// A stored message that is handled, until its end is stored, too: the pool is not idle before.
pub(super) struct Settling(Arc<Shared>);

impl Settling {
    pub(super) fn new(shared: &Arc<Shared>) -> Settling {
        shared.lock().ending += 1;
        Settling(Arc::clone(shared))
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        let idle = {
            let mut state = self.0.lock();
            state.ending = state.ending.saturating_sub(1);
            state.is_idle()
        };
        if idle {
            self.0.activity.notify_waiters();
        }
    }
}

/// An attempt that is made. Its end is the drop, which also comes when the runtime is shut down.
struct Running {
    shared: Arc<Shared>,
    job: Arc<Job>,
    attempt: u32,
    outcome: Outcome,
}

impl Running {
    async fn run(&self) -> Outcome {
        measure::began(&self.job.name);
        let begun = Instant::now();
        let outcome = self.attempt().await;
        measure::attempted(&self.job.name, &outcome, begun.elapsed());
        outcome
    }

    async fn attempt(&self) -> Outcome {
        let Some(mut work) = self.job.take_work() else { return Outcome::Cut };
        let (ctx, end) = self.job.ctx.with_timeout(self.job.timeout);
        let _end = end.guard();
        let given = ctx.clone();
        let attempt = unwind::caught(async { work(given).await });
        #[cfg(feature = "tracing")]
        let attempt = crate::tracing::ContextExt::in_span(&ctx, attempt);
        let ran = ctx.run(attempt).await;
        self.job.put_back(work);
        match ran {
            Ok(Ok(Ok(()))) => Outcome::Succeeded,
            // Work that hears of its end says so in words of its own.
            Ok(Ok(Err(_))) if ctx.is_done() => self.shared.verdict(&self.job),
            Ok(Ok(Err(cause))) => Outcome::Failed(cause),
            Ok(Err(payload)) => {
                let message = unwind::message(&payload);
                unwind::forget(payload);
                Outcome::Panicked(message)
            }
            Err(_) => self.shared.verdict(&self.job),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let retry = if self.outcome.is_retriable() && !self.job.ctx.is_done() {
            self.job.retry.after(self.attempt)
        } else {
            None
        };
        let runtime = tokio::runtime::Handle::try_current().ok();
        let pause = retry.zip(runtime);
        {
            let mut state = self.shared.lock();
            state.running.remove(&self.job.rank.1);
            if pause.is_some() {
                state.pausing.insert(self.job.rank.1, Arc::clone(&self.job));
            } else {
                state.ending += 1;
            }
        }
        let outcome = std::mem::replace(&mut self.outcome, Outcome::Cut);
        match pause {
            Some((pause, runtime)) => {
                let (shared, job) = (Arc::clone(&self.shared), Arc::clone(&self.job));
                let pausing = Pausing { shared, job, attempts: self.attempt };
                runtime.spawn(pausing.wait(pause));
            }
            None => self.shared.end(&self.job, self.attempt, outcome),
        }
    }
}

/// An operation between two attempts, until it is dropped.
struct Pausing {
    shared: Arc<Shared>,
    job: Arc<Job>,
    attempts: u32,
}

impl Pausing {
    async fn wait(self, pause: Duration) {
        // Stopped or cut, it leaves in the drop, as after the pause.
        let _ = self.job.ctx.sleep(pause).await;
    }
}

impl Drop for Pausing {
    fn drop(&mut self) {
        let ended = {
            let mut state = self.shared.lock();
            state.pausing.remove(&self.job.rank.1);
            let ended = self.job.ctx.is_done() || state.workers == 0;
            if ended {
                state.ending += 1;
            } else {
                state.queue.insert(self.job.rank, (Arc::clone(&self.job), self.attempts));
            }
            ended
        };
        if ended {
            let outcome = if self.job.ctx.is_done() { self.shared.verdict(&self.job) } else { Outcome::Cut };
            self.shared.end(&self.job, self.attempts, outcome);
        } else {
            measure::queued(&self.job.name);
            self.shared.work.notify_one();
            // It may have been stopped before it was back in the queue.
            if self.job.ctx.is_done() {
                self.shared.remove_stopped(&self.job);
            }
        }
    }
}
