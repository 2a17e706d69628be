//! The types of variables, and what calls call.

use super::check;

#[test]
fn the_main_example() {
    check(
        "
use context::Context;
use context::axum::RequestContext;
use std::time::Duration;
async fn h(RequestContext(ctx): RequestContext) { //~ ctx: context::Context
    let (ctx, cancel) = ctx.with_timeout(Duration::from_secs(1)); //~ ctx: context::Context ; cancel: context::CancelHandle ; -> context::Context::with_timeout ; -> std::time::Duration::from_secs
    let _guard = cancel.guard(); //~ _guard: context::CancelGuard ; -> context::CancelHandle::guard
    let task = tokio::spawn(async move { //~ task: tokio::task::JoinHandle<bool>
        let c = ctx.clone(); //~ c: context::Context
        true
    });
    let out = task.await; //~ out: std::result::Result<bool, _>
    let n = out.unwrap(); //~ n: bool
}
",
    );
}

#[test]
fn fields_and_wrappers() {
    check(
        "
use context::Context;
use std::sync::{Arc, Mutex};
use std::collections::HashMap;
struct Inner { ctx: Context, map: HashMap<String, Context>, opt: Option<Context>, pair: (u8, Context) }
struct Outer { inner: Arc<Inner>, locked: Arc<Mutex<Inner>>, boxed: Box<dyn Fn(Context) -> Context + Send> }
impl Outer {
    fn f(&self) {
        let a = self.inner.ctx.clone(); //~ a: context::Context
        let b = &self.inner.opt; //~ b: &std::option::Option<context::Context>
        let c = self.inner.pair.1.without_cancel(); //~ c: context::Context ; -> context::Context::without_cancel
        let d = self.locked.lock().unwrap().ctx.clone(); //~ d: context::Context
        let guard = self.locked.lock().unwrap(); //~ guard: std::sync::MutexGuard<main::Inner>
        let e = guard.ctx.clone(); //~ e: context::Context
        let g = (self.boxed)(a.clone()); //~ g: context::Context
        for (key, value) in &self.inner.map { //~ key: std::string::String ; value: context::Context
        }
        if let Some(h) = self.inner.map.get(\"x\") { //~ h: &context::Context
        }
        if let Some(i) = &self.inner.opt { //~ i: context::Context
        }
        let Inner { ctx: j, .. } = &*self.inner; //~ j: context::Context
        let k = Arc::clone(&self.inner); //~ k: std::sync::Arc<main::Inner>
        let l = k.ctx.clone(); //~ l: context::Context
    }
}
",
    );
}

#[test]
fn generic_functions_and_closures() {
    check(
        "
use context::{Context, CancelHandle};
use std::future::Future;
fn same<T>(t: T) -> T { t }
fn wrap<T: Clone>(t: &T) -> Option<T> { Some(t.clone()) }
fn run<R>(ctx: &Context, work: impl FnOnce(Context) -> R) -> R { work(ctx.clone()) }
async fn drive<F, Fut, T>(f: F) -> T where F: Fn(Context) -> Fut, Fut: Future<Output = T> { todo!() }
fn boxed(f: Box<dyn FnOnce(&Context)>) {}
fn ptr(f: fn(Context)) {}
async fn main2(ctx: Context) {
    let a = same(ctx.clone()); //~ a: context::Context
    let b = wrap(&ctx); //~ b: std::option::Option<context::Context>
    let c = run(&ctx, |inner| inner.with_cancel()); //~ c: (context::Context, context::CancelHandle) ; inner: context::Context
    let d = drive(|x| async move { x }).await; //~ x: context::Context ; d: context::Context
    boxed(Box::new(|y| { y.clone(); })); //~ y: &context::Context
    ptr(|z| {}); //~ z: context::Context
    let e = Some(ctx.clone()).map(|m| m.with_cancel()).unwrap(); //~ m: context::Context ; e: (context::Context, context::CancelHandle)
    let g = None.unwrap_or_else(Context::background); //~ g: context::Context
    let h: Vec<Context> = vec![ctx.clone()].into_iter().map(|i| i.without_cancel()).collect(); //~ i: context::Context ; h: std::vec::Vec<context::Context>
    let spawn = tokio::spawn; //~ spawn: fn tokio::spawn
    let closure = |n: u8| ctx.clone(); //~ closure: closure
    let o = closure(1); //~ o: context::Context
}
",
    );
}

#[test]
fn methods_of_traits() {
    check(
        "
use context::Context;
trait Ext { fn detach(&self) -> Context; fn twice(&self) -> u8 { 2 } }
impl Ext for Context { fn detach(&self) -> Context { self.without_cancel() } }
trait Store { fn ctx(&self) -> &Context; }
struct Db(Context);
impl Store for Db { fn ctx(&self) -> &Context { &self.0 } }
fn f(c: Context, d: Db, s: &dyn Store, b: Box<dyn Store>) {
    let x = c.detach(); //~ x: context::Context ; -> main::Context::detach
    c.twice(); //~ -> main::Ext::twice
    d.ctx(); //~ -> main::Db::ctx
    let y = s.ctx(); //~ y: &context::Context ; -> main::Store::ctx
    b.ctx(); //~ -> main::Store::ctx
    Store::ctx(&d); //~ -> main::Db::ctx
    <Db as Store>::ctx(&d); //~ -> main::Db::ctx
}
fn g<S: Store>(s: S) { s.ctx(); } //~ -> main::Store::ctx
fn h(s: impl Store) { s.ctx(); } //~ -> main::Store::ctx
",
    );
}

#[test]
fn library_traits_must_be_imported() {
    check(
        "
mod a {
    use context::http::RequestExt;
    fn f<B>(r: http::Request<B>) { let c = r.context(); } //~ c: context::Context ; -> context::http::RequestExt::context
    fn g(r: axum::extract::Request) { let c = r.context(); } //~ c: context::Context
}
mod b {
    use context::http::RequestExt as _;
    fn f(r: &http::Request<()>) { let c = r.context(); } //~ c: context::Context
    fn g(r: &Other) { let c = r.context(); } //~ c: _
}
mod c {
    fn f(r: http::Request<()>) { let c = r.context(); } //~ c: _
    fn g(r: http::Request<()>) {
        use context::http::RequestExt;
        let c = r.context(); //~ c: context::Context
    }
}
mod d {
    fn f(r: http::Request<()>) { let c = context::http::RequestExt::context(&r); } //~ c: context::Context
}
mod e {
    use super::a2::*;
    fn f(r: http::Request<()>) { let c = r.context(); } //~ c: context::Context
}
mod a2 { pub use context::http::RequestExt; }
",
    );
}

#[test]
fn options_and_results() {
    check(
        "
use context::{Context, ContextError};
async fn f(ctx: Context, o: Option<Context>, r: Result<Context, ContextError>) -> Result<(), ContextError> {
    let a = o.as_ref().unwrap(); //~ a: &context::Context
    let b = o.clone().unwrap_or_else(|| ctx.clone()); //~ b: context::Context
    let c = r?; //~ c: context::Context
    let d = match o { Some(x) => x, None => Context::background() }; //~ d: context::Context ; x: context::Context
    let e = ctx.run(async { true }).await?; //~ e: bool
    let g = ctx.err(); //~ g: std::option::Option<context::ContextError>
    if let Some(err) = ctx.err() { //~ err: context::ContextError
    }
    let h = ctx.value::<String>(&\"k\"); //~ h: std::option::Option<&std::string::String>
    let i = ctx.done().await; //~ i: context::ContextError
    let Ok(j) = tokio::time::timeout(d2(), ctx.done()).await else { return Ok(()) }; //~ j: context::ContextError
    let mut slot = None; //~ slot: std::option::Option<context::CancelHandle>
    slot.insert(ctx.with_cancel().1);
    Ok(())
}
fn d2() -> std::time::Duration { todo!() }
",
    );
}

#[test]
fn collections_learn_what_is_put_into_them() {
    check(
        "
use context::Context;
use std::collections::HashMap;
fn f(ctx: Context) {
    let mut v = Vec::new(); //~ v: std::vec::Vec<context::CancelHandle>
    let (c, cancel) = ctx.with_cancel();
    v.push(cancel);
    for h in &v { h.cancel(); } //~ h: context::CancelHandle ; -> context::CancelHandle::cancel
    let mut m = HashMap::new(); //~ m: std::collections::HashMap<bool, context::Context>
    m.insert(true, c.clone());
    let w = vec![c]; //~ w: [context::Context]
    let first = w[0].clone(); //~ first: context::Context
}
",
    );
}

#[test]
fn statics_and_constants() {
    check(
        "
use context::Context;
use std::sync::{LazyLock, OnceLock};
static ROOT: LazyLock<Context> = LazyLock::new(Context::background);
static CELL: OnceLock<Context> = OnceLock::new();
const KEY: &str = \"user\";
fn f() {
    let a = ROOT.clone(); //~ a: context::Context
    let b = CELL.get_or_init(|| Context::background()); //~ b: &context::Context
    let k = KEY; //~ k: &str
    let (c, h) = ROOT.with_cancel(); //~ c: context::Context
}
",
    );
}

#[test]
fn select_arms() {
    check(
        "
use context::Context;
async fn f(ctx: Context, mut rx: tokio::sync::mpsc::Receiver<Context>) {
    tokio::select! {
        err = ctx.done() => {} //~ err: context::ContextError
        Some(x) = rx.recv() => {} //~ x: context::Context
    }
}
",
    );
}

#[test]
fn structs_and_enums_of_the_program() {
    check(
        "
use context::Context;
struct Job<T> { ctx: Context, payload: T }
enum Msg<T> { Run(T, Context), Stop { ctx: Context }, Idle }
struct Wrapper(Context);
impl std::ops::Deref for Wrapper { type Target = Context; fn deref(&self) -> &Context { &self.0 } }
fn f(ctx: Context, m: Msg<u8>) {
    let j = Job { ctx: ctx.clone(), payload: true }; //~ j: main::Job<bool>
    let Job { ctx: c, payload } = j; //~ c: context::Context ; payload: bool
    match m {
        Msg::Run(n, c1) => {} //~ n: u8 ; c1: context::Context
        Msg::Stop { ctx: c2 } => {} //~ c2: context::Context
        Msg::Idle => {}
    }
    let w = Wrapper(ctx); //~ w: main::Wrapper ; -> Wrapper of main::Wrapper
    let d = w.without_cancel(); //~ d: context::Context ; -> context::Context::without_cancel
    let m2 = Msg::Run(false, d); //~ m2: main::Msg<bool>
    let m3 = Msg::<u8>::Idle; //~ m3: main::Msg<u8>
    let v: Vec<Wrapper> = vec![];
    for x in v { x.with_cancel(); } //~ x: main::Wrapper ; -> context::Context::with_cancel
}
",
    );
}

#[test]
fn async_functions_and_blocks() {
    check(
        "
use context::Context;
async fn inner(ctx: &Context) -> Option<Context> { None }
fn boxed(ctx: Context) -> std::pin::Pin<Box<dyn std::future::Future<Output = Context> + Send>> { todo!() }
fn later(ctx: Context) -> impl std::future::Future<Output = Context> { async move { ctx } }
async fn f(ctx: Context) {
    let fut = inner(&ctx); //~ fut: future std::option::Option<context::Context>
    let a = fut.await; //~ a: std::option::Option<context::Context>
    let b = boxed(ctx.clone()).await; //~ b: context::Context
    let c = later(ctx.clone()).await; //~ c: context::Context
    let block = async { ctx.clone() }; //~ block: future context::Context
    let d = block.await; //~ d: context::Context
    let pinned = Box::pin(later(ctx.clone())); //~ pinned: std::boxed::Box<impl Future<context::Context>>
    let e = pinned.await; //~ e: context::Context
}
",
    );
}

#[test]
fn ranges_and_collected_iterators() {
    check(
        "
use context::{Context, CancelHandle};
use std::collections::HashMap;
fn f(parents: &[Context], n: u64) {
    for turn in 0..n {} //~ turn: u64
    let pairs: Vec<_> = parents.iter().map(|p| p.with_cancel()).collect(); //~ pairs: std::vec::Vec<(context::Context, context::CancelHandle)>
    for (ctx, cancel) in pairs { cancel.cancel(); } //~ ctx: context::Context ; -> context::CancelHandle::cancel
    let tasks = (0..4).map(|_| parents[0].clone()).collect::<Vec<_>>(); //~ tasks: std::vec::Vec<context::Context>
    let map: HashMap<_, _> = parents.iter().map(|p| (true, p.clone())).collect(); //~ map: std::collections::HashMap<bool, context::Context>
    let all: Result<Vec<_>, String> = parents.iter().map(|p| Ok(p.clone())).collect(); //~ all: std::result::Result<std::vec::Vec<context::Context>, std::string::String>
    for row in parents[0].value::<Vec<String>>(&1).into_iter().flatten() {} //~ row: std::string::String
    let some = true.then_some(parents[0].clone()); //~ some: std::option::Option<context::Context>
    let mut guards = vec![parents[0].with_cancel().1.guard()];
    guards.push(parents[0].with_cancel().1.guard()); //~ -> std::vec::Vec::push
}
fn g<C: AsRef<Context>>(c: C) {
    let (d, _) = c.as_ref().with_cancel(); //~ d: context::Context
}
fn h(c: impl Into<Context>) {
    let d = c.into(); //~ d: context::Context
}
",
    );
}

#[test]
fn channels_carry_types() {
    check(
        "
use context::Context;
use tokio::sync::mpsc;
async fn f(ctx: Context) {
    let (tx, mut rx) = mpsc::channel(4); //~ tx: tokio::sync::mpsc::Sender<context::Context> ; rx: tokio::sync::mpsc::Receiver<context::Context>
    tokio::spawn(async move { tx.send(ctx).await });
    while let Some(got) = rx.recv().await { //~ got: context::Context
    }
}
",
    );
}

#[test]
fn branches_that_tell_different_parts() {
    check(
        "
use context::Context;
fn f(parent: &Context, bounded: bool) {
    let (ctx, cancel) = if bounded { //~ cancel: std::option::Option<context::CancelHandle>
        let (ctx, cancel) = parent.with_cancel();
        (ctx, Some(cancel))
    } else {
        (parent.clone(), None)
    };
    if let Some(cancel) = cancel { //~ cancel: context::CancelHandle
        cancel.cancel(); //~ -> context::CancelHandle::cancel
    }
}
",
    );
}

#[test]
fn wrappers_that_dereference() {
    check(
        "
use context::Context;
use std::ops::Deref;
#[derive(Clone, derive_more::Deref)]
struct Derived(Context);
struct Rows(Vec<Context>);
impl Iterator for Rows { type Item = Context; fn next(&mut self) -> Option<Context> { self.0.pop() } }
struct Once<T> { it: T }
impl<T> Iterator for Once<T> { type Item = T; fn next(&mut self) -> Option<T> { None } }
fn f<C: Deref<Target = Context>>(c: C, d: Derived, r: Rows, i: impl Deref<Target = Context>) {
    let a = c.without_cancel(); //~ a: context::Context
    let b = d.without_cancel(); //~ b: context::Context
    let g = i.without_cancel(); //~ g: context::Context
    let e: Vec<_> = r.map(|x| x.with_cancel()).collect(); //~ x: context::Context ; e: std::vec::Vec<(context::Context, context::CancelHandle)>
    for x in Rows(vec![]) {} //~ x: context::Context
    for y in (Once { it: d }) {} //~ y: main::Derived
}
",
    );
}

#[test]
fn what_a_value_is_used_as() {
    check(
        "
use context::{Context, CancelHandle};
fn fill(slot: &mut Option<CancelHandle>, parent: &Context) {}
#[derive(Default)]
struct Builder { ctx: Option<Context> }
impl Builder { fn ctx(mut self, ctx: Context) -> Self { self } }
fn f(parent: &Context) {
    let mut slot = None; //~ slot: std::option::Option<context::CancelHandle>
    fill(&mut slot, parent);
    if let Some(cancel) = slot { cancel.cancel(); } //~ -> context::CancelHandle::cancel
    let a = None; //~ a: std::option::Option<context::Context>
    let b: Option<Context> = a;
    let c = Builder::default().ctx(parent.clone()); //~ c: main::Builder ; -> main::Builder::ctx
    let e = Some(parent.clone()).is_some_and(|x| x.is_done()); //~ x: context::Context
}
",
    );
}

/// The bounds of each parameter name what the other's say.
#[test]
fn bounds_in_a_circle() {
    check(
        "
trait Convert<T> { type Out; }
fn f<S, T>(s: S::Out, t: T::Out, u: S::Known)
where
    S: Convert<T::Out, Known = u8>,
    T: Convert<S::Out, Out = S::Known> + Convert<S::Other>,
{
    let a = t; //~ a: u8
    let b = s; //~ b: _
    let c = u; //~ c: u8
}
",
    );
}

#[test]
fn maps_know_what_they_are_made_of() {
    check(
        "
use context::Context;
use dashmap::DashMap;
use std::collections::{BTreeMap, HashMap, VecDeque};
fn f(ctx: &Context) {
    let map = HashMap::from([(true, ctx.clone())]); //~ map: std::collections::HashMap<bool, context::Context>
    let one = map[&true].clone(); //~ one: context::Context
    let list = VecDeque::from([ctx.clone()]); //~ list: std::collections::VecDeque<context::Context>
    let sorted = BTreeMap::from([(true, ctx.clone())]); //~ sorted: std::collections::BTreeMap<bool, context::Context>
    let shared = DashMap::new(); //~ shared: dashmap::DashMap<bool, context::Context>
    shared.insert(true, ctx.clone()); //~ -> dashmap::DashMap::insert
    if let Some(got) = shared.get(&true) { //~ got: dashmap::mapref::one::Ref<bool, context::Context>
        let own = got.clone(); //~ own: context::Context
    }
    for entry in shared.iter() {
        let own = entry.value().clone(); //~ own: context::Context
    }
    if let Some((_, got)) = shared.remove(&true) {} //~ got: context::Context
}
",
    );
}
