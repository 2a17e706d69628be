//! What names mean.

use super::check;

#[test]
fn imports_of_every_kind() {
    check(
        "
use context::Context;
use context::{Context as Ctx, CancelHandle, self as cx};
use tokio::task;
use context as renamed;
fn a(a: Context) {} //~ a: context::Context
fn b(b: Ctx) {} //~ b: context::Context
fn c(c: cx::Context, h: CancelHandle) {} //~ c: context::Context ; h: context::CancelHandle
fn d(d: context::Context) {} //~ d: context::Context
fn e(e: ::context::Context) {} //~ e: context::Context
fn f(f: renamed::Context) {} //~ f: context::Context
fn g() {
    task::spawn(async {}); //~ -> tokio::spawn
    tokio::spawn(async {}); //~ -> tokio::spawn
    context::background(); //~ -> context::Context::background
    Context::background(); //~ -> context::Context::background
    let r = Ctx::todo(); //~ r: context::Context
}
",
    );
}

#[test]
fn globs() {
    check(
        "
mod one {
    use context::*;
    use tokio::task::*;
    fn a(a: Context) { //~ a: context::Context
        spawn(async {}); //~ -> tokio::spawn
        background(); //~ -> context::Context::background
    }
}
mod crates {
    use context::*;
    fn a(a: tokio_util::sync::CancellationToken) { //~ a: tokio_util::sync::CancellationToken
        tokio::spawn(async {}); //~ -> tokio::spawn
    }
}
mod two {
    use unknown_crate::*;
    fn a(a: Context) { //~ a: _
        spawn(async {}); //~ -> _
        let x: Option<u8> = None; //~ x: std::option::Option<u8>
        tokio::spawn(async {}); //~ -> tokio::spawn
    }
}
mod three {
    use super::four::*;
    fn a(a: Context, b: Hidden, c: Shown) {} //~ a: context::Context ; b: _ ; c: main::four::Shown
}
mod four {
    pub use context::Context;
    struct Hidden;
    pub struct Shown;
    mod five {
        use super::*;
        fn a(a: Context, b: Hidden) {} //~ a: context::Context ; b: main::four::Hidden
    }
}
",
    );
}

#[test]
fn local_things_of_the_same_name() {
    check(
        "
mod a {
    struct Context;
    impl Context {
        fn background() -> Context { Context }
    }
    fn f(c: Context) { //~ c: main::a::Context
        let d = Context::background(); //~ d: main::a::Context ; -> main::a::Context::background
    }
}
mod b {
    mod context {
        pub struct Context;
        pub fn background() -> Context { Context }
    }
    use context::Context;
    fn f(c: Context, d: ::context::Context) { //~ c: main::b::context::Context ; d: context::Context
        let e = context::background(); //~ e: main::b::context::Context
    }
}
mod c {
    use context::*;
    struct Context;
    fn f(c: Context) {} //~ c: main::c::Context
}
mod d {
    fn f() {
        struct Context;
        fn g(c: Context) {} //~ c: main::d::Context
        use context::Context as Other;
        let e: Other; //~ e: context::Context
    }
    fn h(c: Other) {} //~ c: _
}
mod e {
    fn f<Context>(c: Context) {} //~ c: Context
}
mod f {
    use std::task::Context;
    fn f(c: &mut Context<'_>) {} //~ c: &mut std::task::Context
}
mod g {
    use anyhow::Context;
    fn f(r: Result<u8, ()>) {
        let x = r.context(\"failed\"); //~ -> anyhow::Context::context
    }
}
",
    );
}

#[test]
fn modules_in_files() {
    check(
        "
//- shop/src/lib.rs crate:shop
pub mod a;
mod inner { pub mod deep; }
#[path = \"elsewhere.rs\"]
mod other;
pub use a::Thing;
use crate::inner::deep::Deep;
fn f(a: Thing, b: Deep, c: other::O) {} //~ a: shop::a::Thing ; b: shop::inner::deep::Deep ; c: shop::other::O
//- shop/src/a.rs
pub mod b;
pub struct Thing;
fn f(b: b::B, c: self::b::B, d: super::Thing) {} //~ b: shop::a::b::B ; c: shop::a::b::B ; d: shop::a::Thing
//- shop/src/a/b.rs
pub struct B;
fn f(t: super::Thing, c: crate::Thing, d: super::super::other::O) {} //~ t: shop::a::Thing ; c: shop::a::Thing ; d: shop::other::O
//- shop/src/inner/deep.rs
pub struct Deep;
//- shop/src/elsewhere.rs
pub struct O;
",
    );
}

#[test]
fn files_that_were_not_parsed() {
    check(
        "
//- shop/src/lib.rs crate:shop unparsed
//- shop/src/api/mod.rs unparsed
//- shop/src/api/users.rs
use crate::db::Pool;
use crate::nothing::*;
use super::orders::Order;
use context::Context;
fn f(c: Context, p: Pool, o: Order, x: Other) {} //~ c: context::Context ; p: shop::db::Pool ; o: shop::api::orders::Order ; x: _
//- shop/src/api/orders.rs
pub struct Order;
//- shop/src/db.rs
pub struct Pool;
//- shop/src/nothing.rs unparsed
",
    );
    check(
        "
//- shop/src/lib.rs crate:shop
mod limits;
mod far { mod away; pub use away::*; }
mod broken;
use limits::{Alias, Limit, limit};
use limits::inner::Inner as Deep;
fn f(a: Limit, b: far::Many<Limit>, c: Alias, d: Deep, e: limits::Missing, f: &broken::Limit) { //~ a: shop::limits::Limit ; b: shop::far::away::Many<shop::limits::Limit> ; c: _ ; d: _ ; e: _ ; f: &_
    let made = limit();  //~ made: _
    let first = Limit::new();  //~ first: _ ; -> shop::limits::Limit::new
    a.raise();  //~ -> shop::limits::Limit::raise
    b.lower();  //~ -> shop::Many::lower
}
impl far::Many<Limit> { fn lower(&self) {} }
//- shop/src/limits.rs unparsed
pub struct Limit(u8);
pub type Alias = Box<dyn FnOnce()>;
pub fn limit() -> Limit { Limit(1) }
pub mod inner { pub struct Inner; }
//- shop/src/far/away.rs unparsed
pub enum Many<T> { One(T) }
//- shop/src/broken.rs unparsed
",
    );
}

#[test]
fn crates_of_the_workspace() {
    check(
        "
//- app/src/main.rs crate:app kind:bin package:app deps:util,ctx=context,toolbox=util
use util::prelude::*;
use ctx::Context as Plain;
mod shared;
fn f(a: Context, b: Plain, c: toolbox::Wrapped) { //~ a: context::Context ; b: context::Context ; c: std::option::Option<context::Context>
    helper(); //~ -> util::helper
    let x = util::make(); //~ x: context::Context
}
//- app/src/lib.rs crate:app_lib package:app deps:context
pub mod shared;
//- app/src/shared.rs
pub struct S;
fn f(s: crate::shared::S, c: context::Context) {} //~ s: app_lib::shared::S ; c: context::Context
//- util/src/lib.rs crate:util deps:context
pub mod prelude {
    pub use crate::helper;
    pub use context::{self, *};
}
pub type Wrapped = Option<context::Context>;
pub fn helper() {}
pub fn make() -> context::Context { context::background() }
",
    );
}

#[test]
fn a_modelled_library_in_the_workspace() {
    check(
        "
//- context/src/lib.rs crate:context package:ctxlint-context
pub struct Context;
fn own(c: Context) {} //~ c: context::Context
//- app/src/main.rs crate:app kind:bin deps:context
fn f(c: context::Context) {
    let (d, h) = c.with_cancel(); //~ d: context::Context ; h: context::CancelHandle
}
",
    );
    check(
        "
//- context/src/lib.rs crate:context package:somebody-elses
pub struct Context;
impl Context { pub fn with_cancel(&self) -> u8 { 0 } }
//- app/src/main.rs crate:app kind:bin deps:context
fn f(c: context::Context) {
    let d = c.with_cancel(); //~ d: u8 ; -> context::Context::with_cancel
}
",
    );
}

#[test]
fn aliases() {
    check(
        "
type Ctx = context::Context;
type Pair<T> = (T, context::CancelHandle);
type Res<T, E = String> = Result<T, E>;
type Circle = Round;
type Round = Circle;
use context::Context as C1;
use C1 as C2;
use self::C2 as C3;
fn f(a: Ctx, b: Pair<Ctx>, c: Res<u8>, d: Circle, e: C3) { //~ a: context::Context ; b: (context::Context, context::CancelHandle) ; c: std::result::Result<u8, std::string::String> ; d: _ ; e: context::Context
    let g = Ctx::background(); //~ g: context::Context ; -> context::Context::background
}
",
    );
}

#[test]
fn circular_imports_end() {
    check(
        "
mod a { pub use super::b::*; pub use super::b::X; }
mod b { pub use super::a::*; pub use super::a::X; pub struct Y; }
use a::*;
use a::X as Z;
fn f(x: X, y: Y, z: Z) {} //~ x: _ ; y: main::b::Y ; z: _
trait T: U {}
trait U: T {}
fn g<V: T>(v: V) { v.nothing(); } //~ -> _
",
    );
}

#[test]
fn self_and_associated_functions() {
    check(
        "
use context::{Context, CancelHandle};
struct Server { ctx: Context }
impl Server {
    const LIMIT: usize = 3;
    fn new(ctx: Context) -> Self { Self { ctx } } //~ -> Server of main::Server
    fn child(&self) -> (Context, CancelHandle) { Context::with_cancel(&self.ctx) } //~ -> context::Context::with_cancel
    fn go(&self) {
        let (a, b) = Self::child(self); //~ a: context::Context ; b: context::CancelHandle ; -> main::Server::child
        let c = <Context as Clone>::clone(&self.ctx); //~ c: context::Context
        let d = <Context>::background(); //~ d: context::Context
        let e = Self::new(c); //~ e: main::Server
        let f = Self::LIMIT; //~ f: usize
    }
}
",
    );
}

#[test]
fn extern_crates() {
    check(
        "
//- main.rs crate:main kind:bin edition:2015 deps:context
extern crate context as cx;
extern crate tokio;
mod a {
    use cx::Context;
    use tokio::spawn;
    fn f(c: Context) { spawn(async {}); } //~ c: context::Context ; -> tokio::spawn
}
fn g(c: cx::Context) {} //~ c: context::Context
",
    );
}

#[test]
fn users_models_of_types_of_the_program() {
    let model = crate::model::Models::parse(
        "
name = 'neon'
[[type]]
path = 'pageserver::context::RequestContext'
role = 'context'
[[fn]]
path = 'pageserver::context::RequestContext::detached_child'
role = 'detach'
",
    );
    let models = crate::model::Models::builtin().unwrap().with(vec![model.unwrap()]);
    super::check_with(
        "
//- src/lib.rs crate:pageserver
pub mod context;
use crate::context::RequestContext;
pub fn f(c: &RequestContext) { //~ c: &pageserver::context::RequestContext
    let d = c.detached_child(); //~ d: pageserver::context::RequestContext ; -> pageserver::context::RequestContext::detached_child
    let e = c.plain(); //~ e: u8 ; -> pageserver::context::imp::RequestContext::plain
}
//- src/context.rs
pub use self::imp::RequestContext;
mod imp {
    pub struct RequestContext { a: u8 }
    impl RequestContext {
        pub fn detached_child(&self) -> RequestContext { todo!() }
        pub fn plain(&self) -> u8 { self.a }
    }
}
",
        models,
    );
}

#[test]
fn many_modules_that_import_each_other() {
    let count = 40;
    let globs: String = (0..count).map(|at| format!("pub use super::m{at}::*; ")).collect();
    let modules: String = (0..count).map(|at| format!("pub mod m{at} {{ {globs} pub struct S{at}; }}\n")).collect();
    check(&format!("{modules}\nuse m0::*;\nfn f(a: S7, b: Missing) {{}} //~ a: main::m7::S7 ; b: _\n"));
    let chain: String = (0..500).map(|at| format!("pub mod c{at} {{ pub use super::c{}::*; }}\n", at + 1)).collect();
    check(&format!(
        "{chain} pub mod c500 {{ pub struct End; }}\nuse c490::*; use c0::Nothing;\nfn f(a: End, b: Nothing) {{}} //~ a: main::c500::End ; b: _\n"
    ));
}

/// The path of each glob may come by any of the others.
#[test]
fn many_globs_of_other_crates() {
    let globs: String = (0..40).map(|at| format!("use crate_{at}::*;\n")).collect();
    check(&format!("{globs}use context::*;\nfn a(a: Context, b: Unheard) {{}} //~ b: _\n"));
    let modules: String = (0..30)
        .map(|at| {
            let globs: String = (0..30).map(|other| format!("use super::m{other}::*;\n")).collect();
            format!("mod m{at} {{ {globs} fn f(a: Unheard, b: Own{at}) {{}} pub struct Own{at}; }}\n")
        })
        .collect();
    check(&format!("{modules} use m3::*; fn a(a: Own3) {{}} //~ a: main::m3::Own3\n"));
}
