//! The canonical form of event data, compared with what Python itself writes.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use producer::canonical::dumps;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DOCUMENTS: usize = 10_000;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/dumps.py");

#[test]
fn whatever_the_document_it_is_written_as_python_writes_it() {
    let seed: u64 = rand::random();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let documents: Vec<String> = (0..DOCUMENTS).map(|_| document(&mut rng)).collect();
    let theirs = python(&documents);
    assert_eq!(theirs.len(), DOCUMENTS, "seed {seed}");
    for (document, theirs) in documents.iter().zip(theirs) {
        let ours = dumps(document);
        assert_eq!(ours.as_deref().unwrap_or("refused"), theirs, "seed {seed}, {document}: {ours:?}");
        if let Ok(ours) = ours {
            assert_eq!(dumps(&ours).as_ref(), Ok(&ours), "seed {seed}: it is a fixed point");
        }
    }
}

/// What one Python process makes of the documents, a line each.
fn python(documents: &[String]) -> Vec<String> {
    let mut child =
        Command::new("python3").arg(SCRIPT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs");
    let mut input = child.stdin.take().unwrap();
    let lines: String = documents.iter().map(|document| serde_json::to_string(document).unwrap() + "\n").collect();
    // Beside the reading: neither side waits for the other's pipe to be emptied.
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn document(rng: &mut ChaCha8Rng) -> String {
    let mut out = String::new();
    let levels = rng.random_range(0..6);
    write_value(rng, levels, &mut out);
    out
}

fn write_value(rng: &mut ChaCha8Rng, levels: u32, out: &mut String) {
    space(rng, out);
    match rng.random_range(0..if levels == 0 { 7 } else { 11 }) {
        0 => out.push_str(["null", "true", "false"][rng.random_range(0..3)]),
        1 | 2 => write_text(rng, out),
        3 => write_integer(rng, out),
        4..7 => write_float(rng, out),
        7 | 8 => write_many(rng, ['[', ']'], out, |rng, out| write_value(rng, levels - 1, out)),
        _ => write_many(rng, ['{', '}'], out, |rng, out| {
            space(rng, out);
            write_text(rng, out);
            space(rng, out);
            out.push(':');
            write_value(rng, levels - 1, out);
        }),
    }
    space(rng, out);
}

fn write_many(
    rng: &mut ChaCha8Rng,
    [open, close]: [char; 2],
    out: &mut String,
    mut write: impl FnMut(&mut ChaCha8Rng, &mut String),
) {
    out.push(open);
    for place in 0..rng.random_range(0..5) {
        out.push_str(if place == 0 { "" } else { "," });
        write(rng, out);
    }
    space(rng, out);
    out.push(close);
}

fn space(rng: &mut ChaCha8Rng, out: &mut String) {
    while rng.random_range(0..5) == 0 {
        out.push([' ', '\n', '\r', '\t'][rng.random_range(0..4)]);
    }
}

/// Letters of every width, as they are or escaped; often short and of few letters, so that keys meet again.
fn write_text(rng: &mut ChaCha8Rng, out: &mut String) {
    out.push('"');
    for _ in 0..rng.random_range(0..5) {
        let letter = letter(rng);
        if letter < ' ' || letter == '"' || letter == '\\' || rng.random_range(0..4) == 0 {
            write_escaped(rng, letter, out);
        } else {
            out.push(letter);
        }
    }
    if rng.random_range(0..4) == 0 {
        out.push_str(["\\b", "\\f", "\\n", "\\r", "\\t", "\\/", "\\\"", "\\\\"][rng.random_range(0..8)]);
    }
    out.push('"');
}

fn letter(rng: &mut ChaCha8Rng) -> char {
    match rng.random_range(0..6) {
        0 => rng.random_range('a'..='c'),
        1 => rng.random_range('\0'..='\u{a0}'),
        2 => rng.random_range('\u{80}'..='\u{7ff}'),
        3 => rng.random_range('\u{2000}'..='\u{2fff}'),
        4 => rng.random_range('\u{e000}'..='\u{ffff}'),
        _ => rng.random_range('\u{10000}'..='\u{10ffff}'),
    }
}

fn write_escaped(rng: &mut ChaCha8Rng, letter: char, out: &mut String) {
    let upper = rng.random();
    for unit in letter.encode_utf16(&mut [0; 2]) {
        if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") }.unwrap();
    }
}

fn write_integer(rng: &mut ChaCha8Rng, out: &mut String) {
    out.push_str(if rng.random() { "-" } else { "" });
    let digits = [1, 2, 15, 16, 17, 19, 20, 40, 400][rng.random_range(0..9)];
    write_whole(rng, digits, out);
}

/// A whole number as JSON wants it: without zeros in front.
fn write_whole(rng: &mut ChaCha8Rng, digits: usize, out: &mut String) {
    let first = if digits == 1 { '0' } else { '1' };
    out.push(rng.random_range(first..='9'));
    (1..digits).for_each(|_| out.push(rng.random_range('0'..='9')));
}

fn write_float(rng: &mut ChaCha8Rng, out: &mut String) {
    match rng.random_range(0..5) {
        0 => write_written_float(rng, out),
        // Subnormal ones and the largest: every magnitude alike.
        1 => write_bits(rng.random(), out),
        2 => write_bits(rng.random::<u64>() & 0x800f_ffff_ffff_ffff, out),
        // Powers of two and their neighbours, where the shortest digits are hardest to find.
        3 => write_bits((rng.random_range(0..0x7ff_u64) << 52).wrapping_add_signed(rng.random_range(-1..=1)), out),
        // Around the places where Python changes to an exponent.
        _ => {
            let power = rng.random_range(-7..19);
            write!(out, "{:e}", rng.random_range(0.99..1.01) * 10_f64.powi(power)).unwrap();
        }
    }
}

fn write_bits(bits: u64, out: &mut String) {
    let value = f64::from_bits(bits);
    let value = if value.is_finite() { value } else { 1.5 };
    write!(out, "{value:e}").unwrap();
}

/// More digits than a double holds, a fraction or an exponent in all their forms; some are beyond the range.
fn write_written_float(rng: &mut ChaCha8Rng, out: &mut String) {
    let digits = rng.random_range(1..25);
    out.push_str(if rng.random() { "-" } else { "" });
    write_whole(rng, digits, out);
    let fraction: bool = rng.random();
    if fraction {
        out.push('.');
        (0..rng.random_range(1..25)).for_each(|_| out.push(rng.random_range('0'..='9')));
    }
    if !fraction || rng.random() {
        out.push_str(["e", "E", "e+", "E-", "e-0"][rng.random_range(0..5)]);
        out.push_str(&rng.random_range(0..330).to_string());
    }
}
