//! The command-line reference, written from the declarations that parse it.

use clap::CommandFactory;

use super::Arguments;

/// Markdown: every subcommand with its options.
pub fn reference() -> String {
    let mut text = String::from(
        "# Command line\n\nExit codes: 0 good, 1 the thing checked is bad, 2 used wrongly or cannot run.\n",
    );
    let mut root = Arguments::command().term_width(100);
    root.build();
    describe(&mut root, &mut text);
    text
}

fn describe(command: &mut clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or("pgvigil").to_owned();
    text.push_str(&format!(
        "\n## {name}\n\n```text\n{}\n```\n",
        command.render_long_help().to_string().trim_end()
    ));
    for inner in command
        .get_subcommands_mut()
        .filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
    {
        describe(inner, text);
    }
}
