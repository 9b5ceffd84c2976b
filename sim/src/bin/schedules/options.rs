//! What is asked for on the command line.

use std::time::Duration;

pub const USAGE: &str = "\
schedules [--seeds N] [--from S] [--secs T] [--seed S] [--threads N]

  --seeds N    how many seeds (10000)
  --from S     the first of them (0)
  --secs T     begins no seed after so many seconds; unset: all of them
  --seed S     only this one, with the story of what happened
  --threads N  unset: one a core";

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub seeds: u64,
    pub from: u64,
    pub ends_after: Option<Duration>,
    pub seed: Option<u64>,
    pub threads: usize,
}

impl Options {
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self { seeds: 10_000, from: 0, ends_after: None, seed: None, threads };
        while let Some(word) = words.next() {
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            let number = number.ok_or_else(|| format!("{word} needs a number"))?;
            match word.as_str() {
                "--seeds" => options.seeds = number,
                "--from" => options.from = number,
                "--secs" => options.ends_after = Some(Duration::from_secs(number)),
                "--seed" => options.seed = Some(number),
                "--threads" => options.threads = usize::try_from(number.max(1)).unwrap_or(1),
                other => return Err(format!("no option {other}")),
            }
        }
        Ok(options)
    }
}
