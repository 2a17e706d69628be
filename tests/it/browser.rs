//! The pages in headless Chromium, where it is installed.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::{Project, program, skipped};

const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// So that nothing but the page is looked for.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--virtual-time-budget=5000",
    "--dump-dom",
];

/// What a page is after its scripts have run.
struct Page {
    dom: String,
    console: Vec<String>,
}

impl Page {
    /// How many elements with this beginning are not hidden.
    fn shown(&self, begin: &str) -> usize {
        let tags = self.dom.split(begin).skip(1).filter_map(|rest| rest.split('>').next());
        tags.filter(|tag| !tag.contains("hidden")).count()
    }
}

/// Opens a page of a project; nothing, with a word, where there is no browser.
fn open(project: &Project, file: &str, hash: &str) -> Option<Page> {
    let Some(browser) = PROGRAMS.iter().find(|name| Command::new(name).arg("--version").output().is_ok()) else {
        skipped("Chromium is not installed");
        return None;
    };
    let profile = project.path("profile");
    let url = format!("file://{}{hash}", project.path(file).display());
    let mut child = Command::new(browser)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    wait(&mut child);
    let (dom, log) = (out.join().expect("the page"), err.join().expect("the log"));
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    assert!(dom.contains("</html>"), "the page did not load: {log}");
    Some(Page { dom, console })
}

fn reader(from: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.expect("a pipe").read_to_end(&mut bytes).expect("it is read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child) {
    let start = Instant::now();
    while child.try_wait().expect("it is ours").is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            child.kill().expect("it is ended");
            panic!("the browser hangs");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The sample's page of this kind, in a folder of its own.
fn shop(args: &[&str]) -> Project {
    let project = Project::empty();
    let folder = format!("{}/tests/fixtures/shop", env!("CARGO_MANIFEST_DIR"));
    let file = project.path("page.html");
    let mut command = program("ctxlint");
    command.args(args).args(["--no-cache", "--message-format", "html", "--output-file"]).arg(file);
    let status = command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(matches!(status.expect("it runs").code(), Some(0 | 1)));
    project
}

#[test]
fn the_report_can_be_filtered() {
    let project = shop(&["check"]);
    let Some(page) = open(&project, "page.html", "") else { return };
    assert_eq!(page.console, [""; 0]);
    let all = page.shown("<article ");
    assert!(all > 20, "{all}");

    let page = open(&project, "page.html", "#rule=lost_cancel").expect("it is there");
    assert_eq!(page.console, [""; 0]);
    let some = page.shown("<article ");
    let marked = page.dom.matches("data-rule=\"lost_cancel\"").count();
    assert_eq!(some, marked);
    assert!(page.dom.contains(&format!("{some} of {all} shown</output>")), "the count is told");

    let page = open(&project, "page.html", "#level=warning&text=no%20such%20text").expect("it is there");
    assert_eq!(page.shown("<article "), 0);
    assert_eq!(page.shown("<p id=\"none\""), 1, "that nothing is left is told");
}

#[test]
fn the_report_draws_what_leads_to_a_finding() {
    let project = shop(&["check"]);
    let html = project.read("page.html");
    let (_, rest) = html.split_once("<a href=\"#at=").expect("a finding in the graph");
    let fingerprint = rest.split('"').next().expect("its fingerprint");
    let Some(page) = open(&project, "page.html", &format!("#at={fingerprint}")) else { return };
    assert_eq!(page.console, [""; 0]);
    assert!(page.dom.contains("<details id=\"fold\" open"), "the graph is unfolded");
    let nodes = page.dom.matches("<g class=\"node ").filter(|_| true).count();
    assert!(nodes > 7, "the legend has six, and something is drawn: {nodes}");
    assert!(page.dom.contains(&format!("href=\"#f{fingerprint}\"")), "and leads back to the finding");
}

#[test]
fn the_graph_can_be_narrowed() {
    let project = shop(&["graph"]);
    let drawn = |page: &Page| page.dom.matches("data-id=").count();
    let Some(page) = open(&project, "page.html", "") else { return };
    assert_eq!(page.console, [""; 0]);
    let all = drawn(&page);
    let page = open(&project, "page.html", "#mark=request_context_in_task&crate=shop-api").expect("it is there");
    assert_eq!(page.console, [""; 0]);
    let some = drawn(&page);
    assert!(0 < some && some < all, "{some} of {all}");
    assert!(page.dom.contains("⚠ request_context_in_task"));
    assert!(page.dom.contains("class=\"edge spawns"));
}

#[test]
fn many_findings_do_not_overwhelm_the_page() {
    let line = "fn f() {} // ctxlint: allow(syntax_error)\n";
    let project = Project::new(&[("a.rs", &line.repeat(10_000))]);
    let run = project.run(&["--message-format", "html", "--output-file", "page.html"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let start = Instant::now();
    let Some(page) = open(&project, "page.html", "#text=a.rs%3A9999%3A") else { return };
    assert_eq!(page.console, [""; 0]);
    assert_eq!(page.shown("<article "), 1);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
