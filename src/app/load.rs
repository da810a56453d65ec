//! What the configuration's files say: rules, collectors, evidence queries. Read and checked before anything starts.

use std::sync::Arc;

use crate::collectors::{self, Collector, EvidenceQuery};
use crate::config::Config;
use crate::document::{Problem, read_matching};
use crate::rules::{self, RuleSet};

/// What the configuration's files say, read and checked before anything starts.
#[derive(Clone)]
pub struct Loaded {
    /// The rules in force.
    pub rules: RuleSet,
    /// The collectors, built in and the user's own.
    pub catalogue: Vec<Arc<Collector>>,
    /// The evidence queries, built in and the user's own.
    pub evidence: Vec<Arc<EvidenceQuery>>,
    /// The files of `collect.include`, each with the SHA-256 of its text.
    pub included: Vec<(String, String)>,
}

/// Reads rule files and collectors.
///
/// # Errors
/// Every mistake in any of the files.
pub fn load(config: &Config) -> Result<Loaded, Vec<Problem>> {
    match (rules::load(&config.rules), with_files(config)) {
        (Ok(rules), Ok((catalogue, evidence, files))) => Ok(Loaded {
            rules,
            catalogue,
            evidence,
            included: files.into_iter().map(hashed).collect(),
        }),
        (rules, catalogue) => {
            let mut problems = rules.err().unwrap_or_default();
            problems.extend(catalogue.err().unwrap_or_default());
            Err(problems)
        }
    }
}

/// The collectors that are built in and those of `collect.include`.
///
/// # Errors
/// Every mistake in the included files; names in `collect` that are of no collector.
pub fn catalogue(config: &Config) -> Result<Vec<Arc<Collector>>, Vec<Problem>> {
    with_files(config).map(|(catalogue, ..)| catalogue)
}

/// The evidence queries that are built in and those of `collect.include`.
///
/// # Errors
/// As [`catalogue`].
pub fn evidence(config: &Config) -> Result<Vec<Arc<EvidenceQuery>>, Vec<Problem>> {
    with_files(config).map(|(_, evidence, _)| evidence)
}

type WithFiles = (
    Vec<Arc<Collector>>,
    Vec<Arc<EvidenceQuery>>,
    Vec<(String, String)>,
);

fn with_files(config: &Config) -> Result<WithFiles, Vec<Problem>> {
    let files = read_matching("collect.include", &config.collect.include)?;
    let (catalogue, evidence) = match (collectors::load(&files), collectors::load_evidence(&files))
    {
        (Ok(catalogue), Ok(evidence)) => (catalogue, evidence),
        (catalogue, evidence) => {
            let mut problems = catalogue.err().unwrap_or_default();
            problems.extend(evidence.err().unwrap_or_default());
            return Err(problems);
        }
    };
    match config.collect.strangers(&catalogue, &evidence) {
        none if none.is_empty() => Ok((catalogue, evidence, files)),
        strangers => Err(strangers),
    }
}

fn hashed((name, text): (String, String)) -> (String, String) {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    (name, hex.collect())
}
