//! Tokens in private fields, where not all code that may say the field's name is to be seen.

use crate::project::{Project, manifest};

const SERVER: &str = "
use tokio_util::sync::CancellationToken;

pub struct Server {
    token: CancellationToken,
}

impl Server {
    pub fn new() -> Self {
        Self { token: CancellationToken::new() }
    }

    pub async fn wait(&self) {
        self.token.cancelled().await
    }
}
";

const STOP: &str =
    "use super::Server;\n\nimpl Server {\n    pub fn stop(&self) {\n        self.token.cancel()\n    }\n}\n";

const FOUND: [&str; 1] = ["src/lib.rs:10:23: error[ctxlint::lost_cancel]"];
const NONE: [&str; 0] = [];

/// What is found where this stands below the server, beside a file of this name and text.
fn found(below: &str, name: &str, text: &str) -> Vec<String> {
    found_in(SERVER, below, name, text)
}

fn found_in(server: &str, below: &str, name: &str, text: &str) -> Vec<String> {
    let dependencies = "[dependencies]\ntokio-util = \"0.7\"\n";
    let project = Project::new(&[
        ("Cargo.toml", &format!("{}{dependencies}", manifest("server"))),
        ("src/lib.rs", &format!("{server}\n{below}\n")),
        (name, text),
    ]);
    project.places(&[])
}

#[test]
fn a_field_that_nothing_else_names_keeps_its_token() {
    assert_eq!(found("", "src/other.rs", ""), FOUND);
    assert_eq!(found("mod stop;", "src/stop.rs", STOP), NONE);
}

#[test]
fn a_module_that_a_macro_declares_may_cancel() {
    assert_eq!(found("only_on! { unix, mod stop; }", "src/stop.rs", STOP), NONE);
    assert_eq!(found("only_on! { unix, mod stop; }", "src/stop.rs", "fn idle() {}"), FOUND);
}

#[test]
fn a_file_that_is_included_may_cancel() {
    assert_eq!(found("include!(\"stop.in\");", "src/stop.in", STOP), NONE);
    assert_eq!(found("mod parts { include!(\"parts.in\"); }", "src/parts.in", ""), FOUND);
}

#[test]
fn code_that_a_macro_makes_may_cancel() {
    assert_eq!(found("methods! { fn stop(&self) { self.token.cancel() } }", "src/other.rs", ""), NONE);
    assert_eq!(found("methods! { fn stop(&self) { self.other.cancel() } }", "src/other.rs", ""), FOUND);
    assert_eq!(found("methods! { fn token(&self) { self.token() } }", "src/other.rs", ""), FOUND);
}

#[test]
fn a_macro_on_the_struct_may_give_its_fields_away() {
    let with = |attribute: &str| {
        let server = SERVER.replace("pub struct", &format!("#[{attribute}] pub struct"));
        found_in(&server, "", "src/other.rs", "").iter().map(|place| place.contains("lost_cancel")).collect::<Vec<_>>()
    };
    for plain in ["derive(Clone, Debug)", "must_use", "non_exhaustive"] {
        assert_eq!(with(plain), [true], "{plain}");
    }
    for giving in ["derive(Clone, Getters)", "derive(typed_builder::TypedBuilder)", "pyclass"] {
        assert_eq!(with(giving), [false; 0], "{giving}");
    }
}

/// A server that is given its token.
const GIVEN: &str = "
use tokio_util::sync::CancellationToken;

pub struct Server {
    token: CancellationToken,
}

impl Server {
    fn new(token: CancellationToken) -> Self {
        Self { token }
    }

    pub async fn wait(&self) {
        self.token.cancelled().await
    }
}

pub fn start(servers: &mut Vec<Server>) {
    servers.push(Server::new(CancellationToken::new()));
}
";

#[test]
fn a_constructor_that_others_can_call_may_be_given_a_token_to_cancel() {
    assert_eq!(found_in(GIVEN, "", "src/other.rs", ""), ["src/lib.rs:19:30: error[ctxlint::lost_cancel]"]);
    assert_eq!(found_in(&GIVEN.replace("    fn new", "    pub fn new"), "", "src/other.rs", ""), NONE);
    let by_macro = "start! { Server::new(stop) }";
    assert_eq!(found_in(GIVEN, by_macro, "src/other.rs", ""), NONE);
}
