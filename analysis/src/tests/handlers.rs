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
fn by_reference(app: &State<App>, req: &Request, ctx: &Extension<context::Context>) {}
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
fn actix_web() {
    check(
        "
use actix_web::{get, web, App, HttpRequest, HttpResponse, dev::{Service, ServiceRequest}};
#[get(\"/\")]
async fn by_attribute() {} //~ handler actix_web
async fn by_data(data: web::Data<u8>) {} //~ handler actix_web
async fn by_request(req: HttpRequest) {} //~ handler actix_web
async fn routed() {} //~ handler actix_web
async fn to() {} //~ handler actix_web
fn app() {
    App::new()
        .route(\"/\", web::get().to(routed))
        .service(web::resource(\"/x\").to(to))
        .wrap_fn(|req, srv| srv.call(req)) //~ middleware actix_web
        .service(by_attribute);
    actix_web::rt::spawn(async {});
}
struct Mw<S>(S);
impl<S> Service<ServiceRequest> for Mw<S> {
    fn call(&self, req: ServiceRequest) {} //~ middleware actix_web
    fn poll_ready(&self) {}
}
",
    );
}

#[test]
fn tonic() {
    check(
        "
use tonic::{Request, Response, Status};
struct S;
#[tonic::async_trait]
impl pb::greeter_server::Greeter for S {
    async fn say(&self, request: Request<u8>) -> Result<Response<u8>, Status> { todo!() } //~ handler tonic
    async fn other(&self) -> u8 { 1 }
}
impl S { async fn call(&self, request: Request<u8>) -> Result<Response<u8>, Status> { todo!() } }
async fn client(request: Request<u8>) {}
",
    );
}

#[test]
fn hyper_and_tower() {
    check(
        "
use hyper::service::{service_fn, Service};
use hyper::{body::Incoming, Request};
async fn by_body(req: Request<Incoming>) {} //~ handler http
async fn routed(req: Request<Other>) {} //~ handler hyper
async fn client(req: Request<String>) {}
fn serve() { service_fn(routed); service_fn(|req| async { 1 }); } //~ handler hyper
struct H;
impl Service<Request<Incoming>> for H { fn call(&self, req: Request<Incoming>) {} } //~ handler http
struct Mw<S>(S);
impl<S, B> tower::Service<http::Request<B>> for Mw<S> {
    fn call(&mut self, req: http::Request<B>) {} //~ middleware tower
}
impl<S, R> tower_service::Service<R> for Mw<(S, R)> {
    fn call(&mut self, req: R) {} //~ middleware tower
}
struct Connector;
impl tower::Service<http::Uri> for Connector { fn call(&mut self, uri: http::Uri) {} }
struct Client;
impl tower::Service<http::Request<reqwest::Body>> for Client { fn call(&mut self, r: http::Request<reqwest::Body>) {} }
",
    );
}

#[test]
fn other_frameworks() {
    check(
        "
mod poems {
    use poem::{get, handler, Route, web::{Data, Path}};
    #[handler]
    fn a(p: Path<u8>) {} //~ handler poem
    fn b(d: Data<&u8>) {} //~ handler poem
    struct Api;
    #[poem_openapi::OpenApi]
    impl Api {
        async fn c(&self) {} //~ handler poem_openapi
    }
    fn routes() { Route::new().at(\"/\", get(a)); }
}
mod salvos {
    use salvo::prelude::*;
    #[handler]
    async fn a(req: &mut Request) {} //~ handler salvo
    #[handler]
    async fn m(req: &mut Request, ctrl: &mut FlowCtrl) {} //~ middleware salvo
    struct H;
    #[handler]
    impl H { async fn handle(&self) {} } //~ handler salvo
}
mod dropshots {
    use dropshot::{endpoint, RequestContext, HttpError};
    #[endpoint { method = GET, path = \"/\" }]
    async fn a(rqctx: RequestContext<u8>) {} //~ handler dropshot
}
mod lambdas {
    use lambda_runtime::{service_fn, LambdaEvent};
    async fn a(e: LambdaEvent<u8>) {} //~ handler lambda_runtime
    async fn b(e: Other) {} //~ handler lambda_runtime
    fn main() { lambda_runtime::run(service_fn(b)); }
}
mod rpcs {
    use jsonrpsee::proc_macros::rpc;
    #[rpc(server)]
    trait Api { fn a(&self); }
    struct S;
    impl ApiServer for S { fn a(&self) {} } //~ handler jsonrpsee
    fn module() {
        let mut m = jsonrpsee::RpcModule::new(());
        m.register_async_method(\"x\", |p, c, e| async {}); //~ handler jsonrpsee
    }
}
mod tarpcs {
    #[tarpc::service]
    trait World { async fn hello() -> u8; }
    struct S;
    impl World for S { async fn hello(self, _: tarpc::context::Context) -> u8 { 1 } } //~ handler tarpc
    async fn client(c: tarpc::context::Context) {}
}
mod mcp {
    use rmcp::{tool, ServerHandler, service::{RequestContext, RoleServer}};
    struct S;
    impl S {
        #[tool]
        async fn t(&self) {} //~ handler rmcp
    }
    impl ServerHandler for S {
        async fn call_tool(&self, c: RequestContext<RoleServer>) {} //~ handler rmcp
        fn get_info(&self) {}
    }
}
mod warps {
    use warp::Filter;
    async fn a() {} //~ handler warp
    async fn b(n: u8) {} //~ handler warp
    fn routes() {
        warp::path(\"x\").and(warp::get()).and_then(a);
        warp::path!(\"y\" / u8).and_then(b);
    }
    fn with(f: impl Filter<Extract = ()>) { f.map(|| 1); } //~ handler warp
}
",
    );
    check(
        "
#[macro_use] extern crate rocket;
use rocket::State;
#[get(\"/\")]
fn a() {} //~ handler rocket
fn b(s: &State<u8>) {} //~ handler rocket
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
