//! A page that shows what pools do: how deep their queues are, what runs and since when, and what
//! was given up lately. With the feature `status`.
//!
//! ```
//! use context::pool::DetachedPool;
//! use context::pool::status::StatusPage;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let mail = DetachedPool::builder().workers(4).build();
//! let reports = DetachedPool::builder().workers(1).build();
//! let page = StatusPage::new().pool("mail", &mail).pool("reports", &reports);
//! let internal: axum::Router = axum::Router::new().nest("/pools", page.into_router());
//! # drop(internal);
//! # });
//! ```
//!
//! The page names operations and tenants, and shows the texts of errors: serve it where only those
//! come who may read them.

mod render;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use ::axum::Router;
use ::axum::response::{Html, IntoResponse};
use ::axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use super::DetachedPool;
use super::shared::Shared;

/// Styles stand in the page; it loads nothing and runs nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// A page that shows what pools do.
///
/// It is one HTML document without scripts, which asks to be loaded anew every five seconds. It
/// keeps no pool's workers alive: of a pool that is gone it shows that.
///
/// ```
/// use context::pool::{DetachedPool, status::StatusPage};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let pool = DetachedPool::builder().build();
/// let page = StatusPage::new().pool("mail", &pool);
/// let app: axum::Router = axum::Router::new().nest("/internal/pools", page.into_router());
/// # drop(app);
/// # });
/// ```
#[derive(Clone, Default)]
#[must_use = "a page shows nothing until it is served"]
pub struct StatusPage {
    pools: Vec<Shown>,
}

#[derive(Clone)]
struct Shown {
    name: String,
    /// Not the pool itself, whose last clone tells the workers to leave.
    shared: Arc<Shared>,
}

impl StatusPage {
    /// A page without pools.
    ///
    /// ```
    /// let page = context::pool::status::StatusPage::new();
    /// # drop(page.into_router::<()>());
    /// ```
    pub fn new() -> StatusPage {
        StatusPage::default()
    }

    /// Shows one more pool, under this name.
    ///
    /// ```
    /// # use context::pool::{DetachedPool, status::StatusPage};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mail = DetachedPool::builder().build();
    /// let page = StatusPage::new().pool("mail", &mail);
    /// # drop(page.into_router::<()>());
    /// # });
    /// ```
    pub fn pool(mut self, name: impl Into<String>, pool: &DetachedPool) -> StatusPage {
        self.pools.push(Shown { name: name.into(), shared: Arc::clone(&pool.owner.0) });
        self
    }

    /// A router that serves the page at `/`.
    ///
    /// ```
    /// # use context::pool::status::StatusPage;
    /// let internal: axum::Router = axum::Router::new().nest("/pools", StatusPage::new().into_router());
    /// # drop(internal);
    /// ```
    pub fn into_router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let page = Arc::new(self);
        Router::new().route("/", get(async move || serve(&page)))
    }
}

fn serve(page: &StatusPage) -> impl IntoResponse + use<> {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(render::page(&page.pools, SystemTime::now())))
}

impl fmt::Debug for StatusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.pools.iter().map(|pool| &pool.name).collect::<Vec<_>>();
        f.debug_struct("StatusPage").field("pools", &names).finish()
    }
}
