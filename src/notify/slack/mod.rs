//! slack

mod settings;

pub use settings::Settings;
