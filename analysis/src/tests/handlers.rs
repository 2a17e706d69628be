//! Which functions are handlers.
//!
//! A line with `//~ handler axum` is the first of a handler; one with `middleware` of middleware.
//! All other functions and closures must be none.

use super::{link_with, texts};
use crate::facts::{BodyId, BodyKind};
use crate::model::{Model, Models};
use crate::source::FileId;
use crate::types::BodyRef;

fn check(text: &str) {
    check_with(text, Vec::new());
}

fn check_with(text: &str, extra: Vec<Model>) {
    let program = link_with(text, Models::builtin().unwrap().with(extra));
    let mut expected = Vec::new();
    let mut found = Vec::new();
    for (at, text) in texts(text).iter().enumerate() {
        let file = FileId(at as u32);
        for (number, line) in text.lines().enumerate() {
            for part in line.split("//~ ").skip(1) {
                expected.push(format!("{at}:{} {}", number + 1, part.trim()));
            }
        }
        let facts = program.facts(file).unwrap();
        for (body, at_body) in facts.bodies.iter().zip(0..) {
            let Some(handler) = program.handler(BodyRef { file, body: BodyId(at_body) }) else { continue };
            let start = match body.kind {
                BodyKind::Function(item) => facts.item(item).unwrap().name_span.start,
                _ => body.span.start,
            };
            let line = text[..start as usize].matches('\n').count() + 1;
            let kind = if handler.middleware { "middleware" } else { "handler" };
            found.push(format!("{at}:{line} {kind} {}", handler.framework));
        }
    }
    expected.sort();
    found.sort();
    assert_eq!(expected, found);
}

#[test]
fn axum() {
    check(
        "
use axum::extract::{State, Path, Request};
use axum::middleware::{self, Next};
use axum::routing::get;
use axum::{Extension, Json, Router};
use context::axum::RequestContext;
struct App;
async fn by_state(State(app): State<App>) {} //~ handler axum
async fn by_path(id: Path<u32>) -> Json<u32> { Json(1) } //~ handler axum
async fn by_extension(Extension(ctx): Extension<context::Context>) {} //~ handler axum
async fn by_context(RequestContext(ctx): RequestContext) {} //~ handler axum
async fn by_option(ctx: Option<RequestContext>) {} //~ handler axum
async fn by_request(req: Request) {} //~ handler axum
async fn by_axum_body(req: http::Request<axum::body::Body>) {} //~ handler http
#[axum::debug_handler]
async fn by_attribute() {} //~ handler axum
async fn routed() {} //~ handler axum
async fn posted() {} //~ handler axum
async fn fell() {} //~ handler axum
async fn layer(req: Request, next: Next) {} //~ middleware axum
async fn other_layer() {} //~ middleware axum
async fn helper(app: App, n: u32) -> Json<u32> { Json(n) }
async fn client(req: http::Request<String>) {}
async fn generic<B>(req: http::Request<B>) {}
fn app() -> Router {
    Router::new()
        .route(\"/\", get(routed).post(posted))
        .route(\"/c\", get(|| async { helper(App, 1).await })) //~ handler axum
        .fallback(fell)
        .layer(middleware::from_fn(layer))
        .layer(middleware::from_fn(other_layer))
}
",
    );
}

#[test]
fn by_configuration() {
    let model = Models::parse("name = 'shop'\nhandlers = ['main::api::*', 'main::one']").unwrap();
    check_with(
        "
fn one() {} //~ handler shop
fn two() {}
mod api {
    pub fn a() {} //~ handler shop
    mod deep { fn b() {} } //~ handler shop
}
mod apis { fn c() {} }
",
        vec![model],
    );
}

#[test]
fn local_types_of_the_same_name() {
    check(
        "
struct State<T>(T);
struct Request;
async fn a(s: State<u8>) {}
async fn b(r: Request) {}
fn get<F>(f: F) {}
fn c() { get(b); } 
mod d { use other::State; async fn e(s: State<u8>) {} }
#[get] fn f() {}
mod g { use axum::routing::get; async fn h() {} fn i() { get(h); } } //~ handler axum
",
    );
}
