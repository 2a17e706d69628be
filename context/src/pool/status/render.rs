//! The page as text. Whatever comes from outside goes through [`Text`].

use std::fmt::{self, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Shown;
use crate::pool::error::Outcome;
use crate::pool::failures::RecentFailure;
use crate::pool::job::InFlight;
use crate::pool::shared::Snapshot;
use crate::walk::contain;

/// How much of an error's text is shown, in characters.
const LONGEST: usize = 500;

pub(super) fn page(pools: &[Shown], now: SystemTime) -> String {
    let mut html = String::with_capacity(4096);
    // Writing to a string does not fail.
    let _ = document(&mut html, pools, now);
    html
}

fn document(html: &mut String, pools: &[Shown], now: SystemTime) -> fmt::Result {
    html.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.push_str("<meta http-equiv=\"refresh\" content=\"5\">\n<title>Pools</title>\n<style>\n");
    html.push_str(include_str!("style.css"));
    html.push_str("</style>\n</head>\n<body>\n");
    writeln!(html, "<header><h1>Pools</h1><p>as of {} UTC</p></header>\n<main>", Clock(now))?;
    if pools.is_empty() {
        html.push_str("<p class=\"none\">No pool is shown here.</p>\n");
    }
    for pool in pools {
        section(html, &pool.name, &pool.shared.snapshot(), &pool.shared.recent_failures(), now)?;
    }
    html.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn section(html: &mut String, name: &str, pool: &Snapshot, failures: &[RecentFailure], now: SystemTime) -> fmt::Result {
    let (class, state) = state(pool);
    writeln!(html, "<section>\n<h2>{}<span class=\"state {class}\">{state}</span></h2>", Text(name))?;
    figures(html, pool)?;
    running(html, &pool.running, now)?;
    given_up(html, failures, now)?;
    html.push_str("</section>\n");
    Ok(())
}

/// A class for the style, and words for people.
fn state(pool: &Snapshot) -> (&'static str, &'static str) {
    let idle = pool.running.is_empty() && pool.queued == 0 && pool.pausing == 0;
    match () {
        () if pool.workers == 0 => ("draining", "gone"),
        () if pool.draining && idle => ("draining", "drained"),
        () if pool.draining => ("draining", "draining"),
        () if idle => ("idle", "idle"),
        () if pool.running.len() >= pool.workers && pool.queued >= pool.capacity => ("full", "full"),
        () => ("working", "working"),
    }
}

fn figures(html: &mut String, pool: &Snapshot) -> fmt::Result {
    html.push_str("<dl>\n");
    let running = pool.running.len();
    writeln!(
        html,
        "<div><dt>running</dt><dd>{running} of {} {}</dd></div>",
        pool.workers,
        meter(running, pool.workers, "")
    )?;
    let queued = pool.queued;
    // Green, yellow, red.
    let crowded = format!(" low=\"{}\" high=\"{}\" optimum=\"0\"", pool.capacity / 2, pool.capacity / 5 * 4);
    writeln!(
        html,
        "<div><dt>queued</dt><dd>{queued} of {} {}</dd></div>",
        pool.capacity,
        meter(queued, pool.capacity, &crowded)
    )?;
    writeln!(html, "<div><dt>waiting for another attempt</dt><dd>{}</dd></div>\n</dl>", pool.pausing)
}

/// A bar; nothing where there is no bound. It only repeats what the text beside it says.
fn meter(value: usize, most: usize, marks: &str) -> String {
    if most == 0 {
        return String::new();
    }
    format!("<meter aria-hidden=\"true\" min=\"0\" max=\"{most}\" value=\"{value}\"{marks}></meter>")
}

fn running(html: &mut String, running: &[InFlight], now: SystemTime) -> fmt::Result {
    html.push_str("<h3>In flight</h3>\n");
    if running.is_empty() {
        html.push_str("<p class=\"none\">Nothing runs.</p>\n");
        return Ok(());
    }
    html.push_str("<div class=\"scroll\"><table>\n<thead><tr><th>operation</th><th>tenant</th><th>attempt</th>");
    html.push_str("<th>since (UTC)</th><th>for</th></tr></thead>\n<tbody>\n");
    let instant = Instant::now();
    for operation in running {
        let age = instant.saturating_duration_since(operation.since);
        let since = now.checked_sub(age).unwrap_or(UNIX_EPOCH);
        writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"figure\">{}</td><td class=\"figure\">{}</td><td class=\"figure\">{}</td></tr>",
            Text(&operation.name),
            Text(operation.tenant.as_deref().unwrap_or("")),
            operation.attempt,
            Clock(since),
            Age(age),
        )?;
    }
    html.push_str("</tbody></table></div>\n");
    Ok(())
}

fn given_up(html: &mut String, failures: &[RecentFailure], now: SystemTime) -> fmt::Result {
    html.push_str("<h3>Recent failures</h3>\n");
    if failures.is_empty() {
        html.push_str("<p class=\"none\">None so far.</p>\n");
        return Ok(());
    }
    html.push_str("<div class=\"scroll\"><table>\n<thead><tr><th>operation</th><th>tenant</th><th>attempts</th>");
    html.push_str("<th>at (UTC)</th><th>ago</th><th>what came of it</th></tr></thead>\n<tbody>\n");
    for RecentFailure { at, letter } in failures {
        let age = now.duration_since(*at).unwrap_or_default();
        writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"figure\">{}</td><td class=\"figure\">{}</td><td class=\"figure\">{}</td><td>{}</td></tr>",
            Text(&letter.name),
            Text(letter.tenant.as_deref().unwrap_or("")),
            letter.attempts,
            Clock(*at),
            Age(age),
            Text(&words(&letter.outcome)),
        )?;
    }
    html.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The outcome's text, cut where it is too long. The text of a cause is foreign code.
fn words(outcome: &Outcome) -> String {
    let mut text = String::new();
    if !contain(|| text = outcome.to_string()) {
        return format!("{} (and its text panicked)", outcome.word());
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Text that is no markup.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // HTML has no place for these, however they are written.
                c if c.is_control() && c != '\n' && c != '\t' => f.write_char(char::REPLACEMENT_CHARACTER)?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The time of the day, in UTC.
struct Clock(SystemTime);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    }
}

/// A time span, as exact as people need it.
struct Age(Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..10 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            10..60 => write!(f, "{seconds} s"),
            60..3600 => write!(f, "{} min {:02} s", seconds / 60, seconds % 60),
            _ => write!(f, "{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let hostile = "</td><script>alert('&')</script>\" onload=\"x\u{0}\u{1b}[31m\u{85}";
        let safe = Text(hostile).to_string();
        assert!(!safe.contains(['<', '>', '"', '\'', '\u{0}', '\u{1b}', '\u{85}']), "{safe}");
        assert!(safe.starts_with("&lt;/td&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;"), "{safe}");
        assert_eq!(Text("Bücher\n7 € 日本").to_string(), "Bücher\n7 € 日本");
    }

    #[test]
    fn ages_and_times_of_the_day() {
        let age =
            |seconds: u64, millis: u64| Age(Duration::from_secs(seconds) + Duration::from_millis(millis)).to_string();
        assert_eq!(
            [age(0, 40), age(9, 900), age(59, 999), age(61, 0), age(3599, 0), age(90_061, 0)],
            ["0.0 s", "9.9 s", "59 s", "1 min 01 s", "59 min 59 s", "25 h 01 min"]
        );
        assert_eq!(Clock(UNIX_EPOCH + Duration::from_secs(86_400 * 3 + 3_723)).to_string(), "01:02:03");
    }

    #[test]
    fn long_and_panicking_texts_are_shown_as_such() {
        #[derive(Debug)]
        struct Panics;
        impl fmt::Display for Panics {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("in a text")
            }
        }
        impl std::error::Error for Panics {}
        assert_eq!(words(&Outcome::Failed(Panics.into())), "failed (and its text panicked)");
        let long = words(&Outcome::Failed("€".repeat(LONGEST * 2).into()));
        assert!(long.ends_with("€…") && long.chars().count() == LONGEST + 1);
    }
}
