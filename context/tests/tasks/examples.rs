//! The examples, run.

#[cfg(feature = "axum")]
#[path = "../../examples/audited_handler.rs"]
mod audited_handler;
#[cfg(all(feature = "axum", unix))]
#[path = "../../examples/graceful_server.rs"]
mod graceful_server;
#[path = "../../examples/saga.rs"]
mod saga;
#[path = "../../examples/single_flight_cache.rs"]
mod single_flight_cache;

#[test]
fn a_saga() {
    saga::main();
}

#[test]
fn a_single_flight_cache() {
    single_flight_cache::main();
}

#[cfg(feature = "axum")]
#[test]
fn an_audited_handler() {
    audited_handler::main().unwrap();
}

#[cfg(all(feature = "axum", unix))]
mod server {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, ChildStdout, Command, Stdio};

    const SERVES: &str = "CONTEXT_TEST_SERVES";

    /// The process that serves in the tests below; on its own it does nothing.
    #[test]
    fn child_that_serves() {
        if std::env::var_os(SERVES).is_some() {
            super::graceful_server::main().unwrap();
        }
    }

    /// The server in a process of its own, and its address.
    fn start() -> (Child, BufReader<ChildStdout>, String) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "examples::server::child_that_serves", "--nocapture"])
            .env(SERVES, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let line = until(&mut output, "listening on http://");
        let address = line.split_once("http://").unwrap().1.trim().trim_end_matches('/').to_owned();
        (child, output, address)
    }

    /// The line with this in it.
    fn until(output: &mut impl BufRead, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "the server has ended without {text}");
        }
        line
    }

    fn signal(child: &Child) {
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    }

    #[test]
    fn it_stops_when_what_it_serves_is_done() {
        let (mut child, mut output, address) = start();
        let mut client = TcpStream::connect(&address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
        // The request is under way when its receipt is sent.
        until(&mut output, "receipt sent");
        signal(&child);
        until(&mut output, "stopping");
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("done\n"), "{answer}");
        until(&mut output, "stopped");
        assert!(child.wait().unwrap().success());
        assert!(TcpStream::connect(&address).is_err());
    }

    #[test]
    fn a_second_signal_cuts() {
        let (mut child, mut output, address) = start();
        // A request that never ends keeps the server from stopping.
        let mut client = TcpStream::connect(&address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n").unwrap();
        // Connections are accepted in order: with an answer to a later one the first is in.
        let mut second = TcpStream::connect(&address).unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
        second.read_to_string(&mut String::new()).unwrap();
        signal(&child);
        until(&mut output, "stopping");
        signal(&child);
        until(&mut output, "stopped");
        assert!(child.wait().unwrap().success());
    }
}
