//! What the models say of libraries: that the paths lead to them, and their types come out.

use super::check;
use crate::model::{FnRole, Models, TypeRole};

#[test]
fn spawns() {
    check(
        "
use std::thread;
async fn work() -> bool { true }
fn block() -> bool { true }
async fn f(rt: tokio::runtime::Runtime, handle: tokio::runtime::Handle, tracker: &tokio_util::task::TaskTracker) {
    let a = tokio::spawn(work()); //~ a: tokio::task::JoinHandle<bool> ; -> tokio::spawn
    let b = tokio::task::spawn_blocking(block); //~ b: tokio::task::JoinHandle<bool>
    let c = tokio::task::spawn_blocking(move || block()); //~ c: tokio::task::JoinHandle<bool>
    let d = rt.spawn(work()); //~ d: tokio::task::JoinHandle<bool> ; -> tokio::runtime::Runtime::spawn
    let e = handle.spawn_blocking(block); //~ e: tokio::task::JoinHandle<bool>
    let g = tokio::runtime::Handle::current().spawn(work()); //~ g: tokio::task::JoinHandle<bool>
    let h = tracker.spawn(work()); //~ h: tokio::task::JoinHandle<bool> ; -> tokio_util::task::TaskTracker::spawn
    let i = tokio_util::task::AbortOnDropHandle::new(a); //~ i: tokio_util::task::AbortOnDropHandle<bool>
    let j = i.await; //~ j: std::result::Result<bool, _>
    let mut set = tokio::task::JoinSet::new(); //~ -> tokio::task::JoinSet::new
    set.spawn(work()); //~ -> tokio::task::JoinSet::spawn
    while let Some(k) = set.join_next().await {} //~ -> tokio::task::JoinSet::join_next
    let l = thread::spawn(|| block()); //~ l: std::thread::JoinHandle<bool>
    let m = thread::Builder::new().name(String::new()).spawn(block).unwrap(); //~ m: std::thread::JoinHandle<bool> ; -> std::thread::Builder::spawn
    thread::scope(|s| { s.spawn(|| block()); }); //~ s: &std::thread::Scope ; -> std::thread::Scope::spawn
    rayon::spawn(|| {}); //~ -> rayon::spawn
    rayon::scope(|s| s.spawn(|_| {})); //~ -> rayon::Scope::spawn
    let n = smol::spawn(work()); //~ n: async_task::Task<bool>
    n.detach(); //~ -> async_task::Task::detach
    let o = async_std::task::spawn(work()).await; //~ o: bool
    actix_web::rt::spawn(work()); //~ -> actix_rt::spawn
    glommio::spawn_local(work()).detach(); //~ -> glommio::Task::detach
    crossbeam::thread::scope(|s| { s.spawn(|_| block()); }); //~ -> crossbeam::thread::Scope::spawn
}
",
    );
}

#[test]
fn tokens_and_guards() {
    check(
        "
use tokio_util::sync::CancellationToken;
use tokio_util::future::FutureExt;
async fn f(token: CancellationToken) {
    let child = token.child_token(); //~ child: tokio_util::sync::CancellationToken ; -> tokio_util::sync::CancellationToken::child_token
    let guard = child.clone().drop_guard(); //~ guard: tokio_util::sync::DropGuard
    let back = guard.disarm(); //~ back: tokio_util::sync::CancellationToken ; -> tokio_util::sync::DropGuard::disarm
    let out = token.run_until_cancelled(async { true }).await; //~ out: std::option::Option<bool>
    token.cancelled().await; //~ -> tokio_util::sync::CancellationToken::cancelled
    let other = async { true }.with_cancellation_token(&token).await; //~ other: std::option::Option<bool>
    let span = tracing::info_span!(\"x\"); //~ span: tracing::Span
    let entered = span.enter(); //~ entered: tracing::span::Entered ; -> tracing::Span::enter
    let attached = opentelemetry::Context::current().attach(); //~ attached: opentelemetry::ContextGuard
}
",
    );
}

#[test]
fn requests_and_extractors() {
    check(
        "
use axum::{extract::{State, Path, Request}, Extension};
use context::{Context, http::RequestExt};
struct App { ctx: Context }
async fn f(State(app): State<App>, Extension(ctx): Extension<Context>, Path((id, n)): Path<(u32, String)>, mut req: Request) {
    let a = app.ctx.clone(); //~ a: context::Context
    let b = ctx.with_cancel(); //~ b: (context::Context, context::CancelHandle)
    let c = req.context(); //~ c: context::Context
    let d = req.extensions().get::<Context>().cloned(); //~ d: std::option::Option<context::Context>
    let n2 = n; //~ n2: std::string::String
    let (parts, body) = req.into_parts(); //~ parts: http::request::Parts
    let e = parts.extensions.get::<Context>(); //~ e: std::option::Option<&context::Context>
    let g = parts.context(); //~ g: context::Context
}
async fn g(state: State<std::sync::Arc<App>>, ext: Extension<Context>) {
    let a = state.ctx.clone(); //~ a: context::Context
    let b = ext.without_cancel(); //~ b: context::Context
    let c = ext.0; //~ c: context::Context
}
async fn h(req: tonic::Request<u8>) {
    let a = req.extensions().get::<Context>(); //~ a: std::option::Option<&context::Context>
    let b = req.into_inner(); //~ b: u8
}
async fn i(req: actix_web::HttpRequest, data: actix_web::web::Data<App>) {
    use actix_web::HttpMessage;
    let a = req.extensions().get::<Context>().cloned(); //~ a: std::option::Option<context::Context>
    let b = data.ctx.clone(); //~ b: context::Context
}
async fn j(c: rmcp::service::RequestContext<rmcp::RoleServer>) {
    let a = c.ct.child_token(); //~ a: tokio_util::sync::CancellationToken
}
",
    );
}

#[test]
fn the_task_layer() {
    check(
        "
use context::Context;
use context::group::Group;
use context::flight::Flight;
async fn f(ctx: Context, flight: Flight<u8, u8, String>) {
    let (mut group, inner) = Group::with_context(&ctx); //~ group: context::group::Group ; inner: context::Context
    group.spawn(async { Ok(()) }); //~ -> context::group::Group::spawn
    let r = group.wait().await; //~ r: std::result::Result<(), _>
    let v = flight.run(&ctx, 1, |own| async move { own.err(); Ok(1) }).await; //~ own: context::Context ; -> context::flight::Flight::run
    let end = context::shutdown::signal(); //~ end: context::Context
}
",
    );
}

#[test]
fn waits_and_clients() {
    check(
        "
use tokio::io::AsyncReadExt;
use futures::StreamExt;
async fn f(mut sock: tokio::net::TcpStream, client: reqwest::Client, pool: sqlx::PgPool) {
    let mut buffer = [0u8; 4];
    sock.read(&mut buffer).await; //~ -> tokio::io::AsyncReadExt::read
    tokio::time::sleep(std::time::Duration::from_secs(1)).await; //~ -> tokio::time::sleep
    let text = client.get(\"x\").header(\"a\", \"b\").send().await.unwrap().text().await.unwrap(); //~ text: std::string::String ; -> reqwest::RequestBuilder::send
    sqlx::query(\"x\").bind(1).execute(&pool).await; //~ -> sqlx::query::Query::execute
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(1));
    ticks.tick().await; //~ -> tokio::time::Interval::tick
    let lock = tokio::sync::Mutex::new(true);
    let held = lock.lock().await; //~ held: tokio::sync::MutexGuard<bool>
    let std_lock = std::sync::Mutex::new(true);
    let held2 = std_lock.lock().unwrap(); //~ held2: std::sync::MutexGuard<bool>
}
",
    );
}

#[test]
fn keys_and_durations() {
    check(
        "
use std::time::{Duration, Instant};
use std::borrow::Cow;
type S = String;
fn f(a: S, b: Cow<'static, str>, d: Duration) {
    let c = \"x\".to_string(); //~ c: std::string::String
    let e = format!(\"{c}\"); //~ e: std::string::String
    let g = Instant::now() + d; //~ g: std::time::Instant
    let h = 2 * d; //~ h: std::time::Duration
    let i = String::from(\"a\"); //~ i: std::string::String
    let j = b.into_owned(); //~ j: str
}
",
    );
}

/// The numbers in a model say which argument is meant: none may speak of one that cannot be.
#[test]
fn positions_in_models_are_plausible() {
    let models = Models::builtin().unwrap();
    for model in models.iter() {
        for function in &model.functions {
            let named = [function.time, function.key, function.value, function.other];
            let positions = named.into_iter().flatten().chain(function.work.iter().copied());
            assert!(positions.max().unwrap_or(0) < 6, "{}", function.path);
            if matches!(function.role, FnRole::Waiting | FnRole::Outbound) {
                assert!(function.what.is_some(), "{} says not what it waits for", function.path);
            }
            if function.role == FnRole::Spawn {
                assert!(!function.work.is_empty(), "{} starts nothing", function.path);
            }
            if matches!(function.role, FnRole::Derive | FnRole::Root) && function.handle.is_some() {
                assert!(function.context.is_some() && function.returns.is_some(), "{}", function.path);
            }
        }
        for ty in &model.types {
            if ty.role == TypeRole::Process {
                assert!(ty.what.is_some(), "{} is not told", ty.path);
            }
        }
    }
}
