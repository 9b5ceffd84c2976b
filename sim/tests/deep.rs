//! Deep reorganisations (issue 3: to depth 100 and re-opening of any decision) and losses of data, each a whole life.

use kite_sim::closes::Closes;
use kite_sim::deep::DEPTHS;

#[test]
fn a_channel_whose_funding_was_undone_pays_on() {
    DEPTHS.iter().for_each(|depth| drop(Closes::undone_while_open(*depth)));
}

#[test]
fn a_close_alone_that_was_undone_is_claimed_again() {
    DEPTHS.iter().for_each(|depth| drop(Closes::undone_after_a_close_alone(*depth)));
}

#[test]
fn a_close_together_that_was_undone_comes_again() {
    DEPTHS.iter().for_each(|depth| drop(Closes::undone_after_a_close_together(*depth)));
}

#[test]
fn a_penalty_that_was_undone_is_taken_again() {
    DEPTHS.iter().for_each(|depth| drop(Closes::undone_after_a_penalty(*depth)));
}

#[test]
fn a_wallet_that_lost_data_loses_no_coin_when_the_close_is_undone() {
    DEPTHS.iter().for_each(|depth| drop(Closes::undone_after_a_loss(*depth)));
}
