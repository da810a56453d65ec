//! File + environment + flags → valid `Config`. Assembles the settings that each room reads for itself.
