//! Dumps of any size, as pg_dump would write them: one stretch of rows, compressed once and written for many tables.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// The rows of one table, uncompressed.
pub const TABLE: usize = 16 << 20;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `pg_dump -Fc`, compressed by it as is the default.
    Custom,
    /// `pg_dump -Fc -Z0`.
    Uncompressed,
    /// `pg_dump | gzip`.
    PlainInGzip,
}

impl Form {
    pub const ALL: [Form; 3] = [Form::Custom, Form::Uncompressed, Form::PlainInGzip];

    pub fn title(self) -> &'static str {
        match self {
            Form::Custom => "custom",
            Form::Uncompressed => "custom, `-Z0`",
            Form::PlainInGzip => "plain in gzip",
        }
    }
}

/// Writes one of at least so many bytes; gives the bytes of its rows before compression.
pub fn write(path: &Path, form: Form, bytes: u64) -> u64 {
    let mut output = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let rows = rows();
    let tables = match form {
        Form::PlainInGzip => plain_in_gzip(&mut output, &rows, bytes),
        Form::Custom => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder
                .write_all(&[&rows[..], b"\\.\n\n\n"].concat())
                .unwrap();
            custom(&mut output, -1, &encoder.finish().unwrap(), bytes)
        }
        Form::Uncompressed => custom(&mut output, 0, &[&rows[..], b"\\.\n\n\n"].concat(), bytes),
    };
    output.flush().unwrap();
    tables * rows.len() as u64
}

/// Rows that compress about as well as those of real tables do.
fn rows() -> Vec<u8> {
    let (mut text, mut state) = (Vec::with_capacity(TABLE + 200), 0x9e37_79b9_7f4a_7c15_u64);
    let mut row: u64 = 0;
    while text.len() < TABLE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        row += 1;
        writeln!(
            text,
            "{row}\tplayer-{:08x}\tplayer{}@example.com\t2026-{:02}-{:02} 12:00:00.{:06}+00\t{:.2}\t\\N\tt",
            state as u32,
            state % 100_000,
            state % 12 + 1,
            state % 28 + 1,
            state % 1_000_000,
            (state % 1_000_000) as f64 / 100.0,
        )
        .unwrap();
    }
    text
}

fn plain_in_gzip(output: &mut impl Write, rows: &[u8], bytes: u64) -> u64 {
    let packed = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let head = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n";
    let table = b"--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: o\n--\n\n\
        COPY public.t (a, b, c, d, e, f, g) FROM stdin;\n";
    let table = packed(&[&table[..], rows, b"\\.\n\n\n"].concat());
    let tables = bytes.div_ceil(table.len() as u64);
    output.write_all(&packed(head.as_bytes())).unwrap();
    for _ in 0..tables {
        output.write_all(&table).unwrap();
    }
    let end = b"--\n-- PostgreSQL database dump complete\n--\n\n";
    output.write_all(&packed(end)).unwrap();
    tables
}

/// An archive of version 1.14, as pg_dump 15 writes it to a pipe.
fn custom(output: &mut impl Write, compression: i64, data: &[u8], bytes: u64) -> u64 {
    let tables = bytes.div_ceil(data.len() as u64);
    let mut head = b"PGDMP\x01\x0e\x00\x04\x08\x01".to_vec();
    integers(&mut head, &[compression, 0, 0, 3, 1, 0, 126, 0]);
    for text in ["bench", "15.18", "15.18"] {
        string(&mut head, text);
    }
    integers(&mut head, &[tables as i64]);
    for id in 1..=tables as i64 {
        entry(&mut head, id);
    }
    output.write_all(&head).unwrap();
    for id in 1..=tables as i64 {
        let mut block = vec![1];
        integers(&mut block, &[id]);
        output.write_all(&block).unwrap();
        // pg_dump's own chunks have this length.
        for chunk in data.chunks(4096) {
            let mut length = Vec::new();
            integers(&mut length, &[chunk.len() as i64]);
            output.write_all(&length).unwrap();
            output.write_all(chunk).unwrap();
        }
        let mut end = Vec::new();
        integers(&mut end, &[0]);
        output.write_all(&end).unwrap();
    }
    tables
}

/// The rows of a table that is called after its number.
fn entry(output: &mut Vec<u8>, id: i64) {
    integers(output, &[id, 1]);
    for text in ["0", "0", &format!("t{id}"), "TABLE DATA"] {
        string(output, text);
    }
    // The section of data.
    integers(output, &[3]);
    string(output, "");
    string(output, "");
    string(
        output,
        &format!("COPY public.t{id} (a, b, c, d, e, f, g) FROM stdin;\n"),
    );
    for text in ["public", "", "", "o", "false"] {
        string(output, text);
    }
    // It depends on nothing; its place in the file was not known.
    integers(output, &[-1]);
    output.push(1);
    output.extend([0; 8]);
}

fn integers(output: &mut Vec<u8>, numbers: &[i64]) {
    for number in numbers {
        output.push(u8::from(*number < 0));
        output.extend(&(number.unsigned_abs() as u32).to_le_bytes());
    }
}

fn string(output: &mut Vec<u8>, text: &str) {
    integers(output, &[text.len() as i64]);
    output.extend(text.as_bytes());
}
