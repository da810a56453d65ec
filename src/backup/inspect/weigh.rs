//! What checksums say of a file beside what its content showed.

use std::io;

use super::beside::Expected;
use super::halt::{Halt, corrupt, unknowable};
use super::input::{Input, Passing};
use super::sum::Algorithm;
use super::{Reading, Verdict};
use crate::backup::shelf::{Item, Shelf};

/// What has to be summed of a file.
pub(super) fn passing(expected: Option<&Expected>, reading: &Reading) -> Passing {
    let beside = expected.map(|expected| expected.algorithm);
    let compared = reading.is_compared.then_some(Algorithm::Md5);
    Passing::new(beside.into_iter().chain(compared).collect())
}

/// The sums of all bytes, also where the content could not be read to its end.
pub(super) fn to_the_end(
    shelf: &dyn Shelf,
    name: &str,
    item: &Item,
    (passed, expected): (Passing, Option<&Expected>),
    reading: &Reading,
) -> io::Result<Passing> {
    let is_wanted = expected.is_some() || reading.is_compared;
    if !is_wanted || passed.bytes() == item.bytes {
        return Ok(passed);
    }
    let again = passing(expected, reading);
    let mut input = Input::open(shelf, name, reading.pace)?.passing(again.clone());
    io::copy(&mut input, &mut io::sink())?;
    Ok(again)
}

/// What checksums say beside what the content showed.
pub(super) fn weigh(
    outcome: Result<bool, Halt>,
    expected: Option<&Expected>,
    passing: &Passing,
    reading: &Reading,
    verdict: &mut Verdict,
) -> io::Result<bool> {
    let algorithm = match expected {
        _ if reading.is_compared => Some(Algorithm::Md5),
        expected => expected.map(|expected| expected.algorithm),
    };
    verdict.checksum = algorithm
        .and_then(|algorithm| Some(format!("{}:{}", algorithm.name(), passing.hex(algorithm)?)));
    let Some(Expected {
        file,
        algorithm,
        hex,
    }) = expected
    else {
        return outcome.map_err(io::Error::from);
    };
    if passing.hex(*algorithm).as_ref() != Some(hex) {
        return Err(corrupt(format!(
            "does not agree with its {} checksum in `{}` beside it",
            algorithm.name(),
            file.escape_debug()
        )));
    }
    match outcome {
        Ok(_) => Ok(true),
        Err(Halt::Unknowable(words)) => Err(unknowable(format!(
            "{words}; its bytes agree with the checksum beside it"
        ))),
        Err(halt) => Err(halt.into()),
    }
}
