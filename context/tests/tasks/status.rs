//! The page that shows pools, through a real server.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use context::Context;
use context::pool::status::StatusPage;
use context::pool::{DetachedPool, Retry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::{HOUR, eventually, in_time};

#[derive(PartialEq, Eq)]
struct Tenant;

async fn served(page: StatusPage) -> SocketAddr {
    let app = Router::new().nest("/pools", page.into_router());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// The head and the body of the answer.
async fn get(address: SocketAddr) -> (String, String) {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /pools HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    in_time(client.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    well_formed(body);
    (head.to_ascii_lowercase(), body.to_owned())
}

/// Every element that is opened is closed, in order.
fn well_formed(html: &str) {
    let mut open = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "in {html}"),
            None if name == "style" => rest = rest.split_once("</style>").unwrap().1,
            None if name.starts_with('!') || name == "meta" => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
}

/// The cells of the row that begins with this operation.
fn row<'a>(html: &'a str, operation: &str) -> Vec<&'a str> {
    let begin = html.find(&format!("<tr><td>{operation}</td>")).unwrap_or_else(|| panic!("no {operation} in {html}"));
    let row = html[begin..].split_once("</tr>").unwrap().0;
    row.split("</td>").map(|cell| cell.rsplit('>').next().unwrap()).filter(|cell| !cell.is_empty()).collect()
}

#[tokio::test]
async fn the_page_shows_depth_what_runs_since_when_and_recent_failures() {
    let quota = |ctx: &Context| ctx.value::<String>(&Tenant).cloned();
    let pool = DetachedPool::builder().workers(1).queue(2).timeout(HOUR).quota(9, quota).build();
    let other = DetachedPool::builder().workers(3).build();
    let address = served(StatusPage::new().pool("mail", &pool).pool("reports", &other)).await;

    let (head, html) = get(address).await;
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    assert!(head.contains("cache-control: no-store") && head.contains("content-security-policy: default-src 'none'"));
    for empty in ["<h2>mail<", "<h2>reports<", ">idle<", "Nothing runs.", "None so far.", "0 of 1 ", "0 of 3 "] {
        assert!(html.contains(empty), "{empty}: {html}");
    }

    let ctx = Context::background();
    let acme = ctx.with_value(Tenant, "acme".to_owned());
    let failed = pool.submit(&acme, "charge", |_| async { Err::<(), _>("card refused") }).unwrap();
    in_time(failed.wait()).await;
    let pausing =
        pool.submit_retrying(&ctx, "flaky", Retry::times(2).backoff(HOUR, HOUR), |_| async { Err::<(), _>("not yet") });
    eventually("it pauses", || pool.inflight().is_empty() && pool.queued() == 0).await;
    let (release, held) = oneshot::channel::<()>();
    let running = pool.submit(&acme, "send", |_| async { drop(held.await) }).unwrap();
    eventually("it runs", || pool.inflight().len() == 1).await;
    pool.submit(&ctx, "waits", |_| async {}).unwrap();

    let (_, html) = get(address).await;
    assert!(html.contains("<dt>queued</dt><dd>1 of 2 ") && html.contains("<dt>running</dt><dd>1 of 1 "), "{html}");
    assert!(html.contains("<dt>waiting for another attempt</dt><dd>1</dd>"), "{html}");
    assert!(html.contains("<span class=\"state working\">working</span>"), "{html}");
    let send = row(&html, "send");
    assert_eq!(send[..3], ["send", "acme", "1"]);
    assert_eq!(send[3].split(':').count(), 3, "the time of the day when it began: {send:?}");
    assert!(send[4].ends_with(" s"), "{send:?}");
    let charge = row(&html, "charge");
    assert_eq!(charge[..3], ["charge", "acme", "1"]);
    assert_eq!(charge[5], "failed: card refused");
    assert!(!html.contains("flaky"), "its last attempt is still to come");

    pool.submit(&ctx, "waits", |_| async {}).unwrap();
    assert!(get(address).await.1.contains("<span class=\"state full\">full</span>"));
    release.send(()).unwrap();
    in_time(running.wait()).await;
    pausing.unwrap().stop();
    assert!(in_time(pool.drain(&ctx)).await.is_clean());
    assert!(get(address).await.1.contains("<span class=\"state draining\">drained</span>"));
}

#[tokio::test]
async fn names_tenants_and_errors_are_shown_as_text() {
    const HOSTILE: &str = "</td><img src=x onerror=alert(1)>&amp;\"'";
    const SHOWN: &str = "&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;&quot;&#39;";
    let tenant = |_: &Context| Some(HOSTILE.to_owned());
    let pool = DetachedPool::builder().workers(1).quota(9, tenant).build();
    let address = served(StatusPage::new().pool(HOSTILE, &pool)).await;
    let ctx = Context::background();
    let failed = pool.submit(&ctx, HOSTILE.to_owned(), |_| async { Err::<(), _>(HOSTILE) }).unwrap();
    in_time(failed.wait()).await;
    pool.submit(&ctx, HOSTILE.to_owned(), |_| std::future::pending::<()>()).unwrap();
    eventually("it runs", || pool.inflight().len() == 1).await;

    let (_, html) = get(address).await;
    assert!(!html.contains("<img") && !html.contains("onerror=alert(1)>"), "{html}");
    assert!(html.contains(&format!("<h2>{SHOWN}<")), "{html}");
    assert_eq!(html.matches(&format!("<tr><td>{SHOWN}</td><td>{SHOWN}</td>")).count(), 2, "{html}");
    assert!(html.contains(&format!("<td>failed: {SHOWN}</td>")), "{html}");
}

#[tokio::test]
async fn the_page_keeps_no_pool_alive_and_only_the_latest_failures_are_kept() {
    let pool = DetachedPool::builder().workers(1).build();
    let address = served(StatusPage::new().pool("short lived", &pool)).await;
    let ctx = Context::background();
    for n in 0..40 {
        let failed = pool.submit(&ctx, format!("number {n}"), |_| async { Err::<(), _>("no") }).unwrap();
        in_time(failed.wait()).await;
    }
    let failures = pool.recent_failures();
    let names: Vec<_> = failures.iter().map(|failure| failure.letter.name.as_ref()).collect();
    assert_eq!((names.len(), names[0], names[31]), (32, "number 39", "number 8"));
    assert!(failures[0].at.elapsed().unwrap() < Duration::from_secs(60));
    drop(pool);
    let start = std::time::Instant::now();
    while !get(address).await.1.contains(">gone<") {
        assert!(start.elapsed() < Duration::from_secs(20), "the workers never left");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
