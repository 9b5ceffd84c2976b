//! `kite completions`.

use clap::CommandFactory as _;

use crate::arguments::{Arguments, Shell};
use crate::failure::Failure;
use crate::output::Output;

pub fn print(shell: Shell, output: &Output) -> Result<(), Failure> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kite", &mut script);
    output.bytes(&script)
}
