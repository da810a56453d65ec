//! File + environment + flags → valid [`Config`]. Assembles the settings that each room reads for itself; every
//! mistake is found in one run.

mod environment;
mod layers;
mod names;
mod reference;
mod shown;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::document::{Outside, Place, Problem, Reader, Secret, Section, Thing, parse};
use crate::sample::Labels;
use crate::{backup, collectors, notify, patroni, remote_write, rules, server, store, web};

pub use environment::{ALIASES, Alias, Environment};
pub use reference::reference;

use layers::Layer;

/// Everything pgvigil needs to run, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from, where there is one.
    pub file: Option<PathBuf>,
    /// Where the page, the metrics and the API are served.
    pub listen: SocketAddr,
    /// How people reach it, for links in messages; without a slash at the end.
    pub external_url: String,
    /// Labels added to what leaves for other systems.
    pub external_labels: Labels,
    /// The folder for what must outlive a restart.
    pub state_dir: PathBuf,
    /// TLS and authentication of the web side.
    pub web: web::Settings,
    /// What is watched.
    pub servers: Vec<server::Settings>,
    /// The poolers in front of it.
    pub pgbouncers: Vec<server::Settings>,
    /// What manages it.
    pub patronis: Vec<patroni::Settings>,
    /// How it is read.
    pub collect: collectors::Settings,
    /// How long it is remembered.
    pub store: store::Settings,
    /// How often what is remembered is written down.
    pub snapshots: store::SnapshotSettings,
    /// What the queries of others may take.
    pub query: web::api::Settings,
    /// Where its samples are sent on to.
    pub remote_write: Vec<remote_write::Settings>,
    /// What is an alert.
    pub rules: rules::Settings,
    /// Who is told.
    pub notify: notify::Settings,
    /// Where the backups should be.
    pub backups: Vec<backup::Settings>,
    /// How they are restored on trial.
    pub drills: Vec<backup::drill::Settings>,
    /// What it names and the system must have.
    pub outside: Vec<Outside>,
    /// All that was written, as YAML without secrets.
    pub shown: String,
}

/// What the command line sets over file and environment.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--state-dir`.
    pub state_dir: Option<String>,
}

/// Looked for when neither `--config` nor `PGVIGIL_CONFIG` names a file.
const USUAL_FILES: [&str; 2] = ["pgvigil.yml", "/etc/pgvigil/pgvigil.yml"];

/// The configuration of this process.
///
/// # Errors
/// Every mistake in file, environment and flags.
pub fn load(flags: &Flags) -> Result<Config, Vec<Problem>> {
    // A variable that is no text is none of ours, and no reason not to start.
    let environment = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    load_from(flags, &environment.collect())
}

/// The same with the environment given.
///
/// # Errors
/// Every mistake in file, environment and flags.
pub fn load_from(flags: &Flags, environment: &Environment) -> Result<Config, Vec<Problem>> {
    let get = |name: &str| variable(environment, name);
    let file = flags
        .config
        .clone()
        .or_else(|| get("PGVIGIL_CONFIG").map(PathBuf::from))
        .or_else(usual_file);
    let mut layers = Vec::new();
    if let Some(path) = &file {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            vec![Problem::at(
                &Place::of(&name),
                format!("cannot be read: {error}"),
            )]
        })?;
        layers.push(Layer::file(
            &name,
            parse(&name, &text).map_err(|problem| vec![problem])?,
        ));
    }
    let more = environment::layers(environment, &layers).map_err(|problem| vec![problem])?;
    layers.extend(more);
    layers.extend(flag_layers(flags).map_err(|problem| vec![problem])?);
    read(layers, environment, file)
}

fn flag_layers(flags: &Flags) -> Result<Vec<Layer>, Problem> {
    let mut layers = Vec::new();
    if let Some(listen) = &flags.listen {
        layers.push(Layer::value("flag --listen", &["listen"], listen)?);
    }
    if let Some(state_dir) = &flags.state_dir {
        layers.push(Layer::value("flag --state-dir", &["state_dir"], state_dir)?);
    }
    Ok(layers)
}

fn read(
    layers: Vec<Layer>,
    environment: &Environment,
    file: Option<PathBuf>,
) -> Result<Config, Vec<Problem>> {
    let get = |name: &str| variable(environment, name);
    let reader = Reader::new(Some(&get));
    let root = layers::merge(layers).map_err(|problem| vec![problem])?;
    let mut config = reader.read(&root, |s| Config::read(s, &get));
    config.file = file;
    config.shown = shown::without_secrets(&root);
    config.outside = reader.outside();
    if config.servers.is_empty() {
        match server::from_environment(&get) {
            Ok(Some(server)) => {
                let name = &server.name;
                let told = format!("# and the server {name:?}, from the environment\n");
                config.shown.push_str(&told);
                config.outside.extend(password_file(&server));
                config.servers.push(server);
            }
            Ok(None) if config.watched().is_empty() => reader.report(no_server()),
            Ok(None) => {}
            Err(error) => reader.report(Problem {
                hint: Some(error.hint),
                ..Problem::at(&Place::of("environment"), error.message)
            }),
        }
    }
    config.settle();
    config.check(&reader, &root);
    let problems = reader.problems();
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems)
    }
}

impl Config {
    /// Reads the whole file's shape; also what the reference is written from.
    fn read(s: &mut Section, get: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut snapshots = store::SnapshotSettings::default();
        Config {
            file: None,
            listen: s
                .parsed("listen", "address", "127.0.0.1:9187", "Where the page, `/metrics` and health answer.", |text| {
                    text.parse().map_err(|_| format!("`{text}` is no address; write `127.0.0.1:9187` or `[::]:9187`"))
                })
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9187))),
            external_url: s
                .text("external_url", "", "How people reach this page, for links in messages; by default made of `listen`.")
                .trim_end_matches('/')
                .to_owned(),
            external_labels: Labels::new(s.pairs("external_labels", "Labels added to alerts that leave for Alertmanager and to samples that leave by `remote_write`, where they lack them.")),
            state_dir: s
                .optional_path("state_dir", "The folder for what must outlive a restart; default `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/pgvigil`.")
                .unwrap_or_else(|| default_state_dir(get)),
            web: s.section("web", "TLS and authentication of everything that is served.", web::Settings::read),
            servers: s.list("servers", "The PostgreSQL servers to watch; without it the environment names one.", server::Settings::read),
            pgbouncers: s.list("pgbouncers", "The PgBouncers to watch, each on its console.", server::Settings::read_pgbouncer),
            patronis: s
                .list("patronis", "The nodes of Patroni to watch, each by its REST API.", patroni::Settings::read)
                .into_iter()
                .flatten()
                .collect(),
            collect: s.section("collect", "How servers are read.", collectors::Settings::read),
            store: s.section("store", "How much history is kept in memory.", |s| {
                let store = store::Settings::read(s);
                snapshots = store::SnapshotSettings::read(s);
                store
            }),
            snapshots,
            query: s.section("query", "What the queries of others, through the API, may take.", web::api::Settings::read),
            remote_write: remote_write::Settings::read_all(s),
            rules: s.section("rules", "Which conditions are alerts.", rules::Settings::read),
            notify: s.section("notify", "Who is told.", notify::Settings::read),
            backups: backup::Settings::read(s),
            drills: backup::drill::Settings::read_all(s),
            outside: Vec::new(),
            shown: String::new(),
        }
        .with_external_url()
    }

    fn with_external_url(mut self) -> Self {
        if self.external_url.is_empty() {
            let scheme = if self.web.tls.is_some() {
                "https"
            } else {
                "http"
            };
            self.external_url = format!("{scheme}://{}", self.listen);
        }
        self
    }

    /// Whether anything that is watched could be taken for another of its kind, unless its series name it.
    pub fn has_several_of_a_kind(&self) -> bool {
        [
            self.servers.len(),
            self.pgbouncers.len(),
            self.patronis.len(),
        ]
        .iter()
        .any(|count| *count > 1)
    }

    /// Everything that is watched by name, and the list it stands in.
    fn watched(&self) -> Vec<(&'static str, &str)> {
        let servers = self.servers.iter();
        let servers = servers.map(|server| ("servers", server.name.as_str()));
        let pgbouncers = self.pgbouncers.iter();
        let pgbouncers = pgbouncers.map(|pgbouncer| ("pgbouncers", pgbouncer.name.as_str()));
        let patronis = self.patronis.iter();
        let patronis = patronis.map(|patroni| ("patronis", patroni.name.as_str()));
        servers.chain(pgbouncers).chain(patronis).collect()
    }

    /// Backups that name no server belong to the one that is watched.
    fn settle(&mut self) {
        if let [only] = self.servers.as_slice() {
            for backup in self
                .backups
                .iter_mut()
                .filter(|backup| backup.server.is_empty())
            {
                backup.server.clone_from(&only.name);
            }
        }
    }
}

fn complaint(path: &str, message: String, hint: &str) -> Problem {
    let place = Place::of("configuration");
    Problem {
        place,
        path: path.into(),
        message,
        hint: Some(hint.into()),
    }
}

/// The file that `DATA_SOURCE_PASS_FILE` names.
fn password_file(server: &server::Settings) -> Option<Outside> {
    let Some(Secret::File(file)) = &server.password else {
        return None;
    };
    Some(Outside {
        place: Place::of("environment variable DATA_SOURCE_PASS_FILE"),
        path: String::new(),
        thing: Thing::Secret(file.clone()),
    })
}

fn no_server() -> Problem {
    let message = "no server to watch".to_owned();
    complaint(
        "servers",
        message,
        "set DATABASE_URL=postgresql://user@host/database, or write `servers:` in pgvigil.yml",
    )
}

fn variable(environment: &Environment, name: &str) -> Option<String> {
    let found = environment.iter().find(|(variable, _)| variable == name);
    found
        .map(|(_, text)| text.clone())
        .filter(|text| !text.is_empty())
}

fn usual_file() -> Option<PathBuf> {
    USUAL_FILES
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}

fn default_state_dir(get: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    if let Some(given) = get("STATE_DIRECTORY") {
        return PathBuf::from(given);
    }
    if let Some(home) = get("XDG_STATE_HOME") {
        return PathBuf::from(home).join("pgvigil");
    }
    get("HOME").map_or_else(
        || PathBuf::from("/var/lib/pgvigil"),
        |home| PathBuf::from(home).join(".local/state/pgvigil"),
    )
}
