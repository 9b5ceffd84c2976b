//! The end of every schedule: all heals, all is decided, every channel closes, and every coin is back.

use super::Life;
use super::check::Breach;
use super::demands::Demand;
use super::ledger::{is_failed, is_sent};
use crate::chain::Source;
use crate::chain::is_commitment;
use crate::disk::Mode;
use bitcoin::{Amount, ScriptBuf, Transaction, WPubkeyHash, hashes::Hash};
use kite_core::coins::Fee;
use kite_core::node::{Command, Input, Node};
use kite_core::payment::OutgoingState;
use kite_core::types::{FeeratePerKw, PaymentId};

/// What everybody estimates in the end.
const SAT_PER_KW: u32 = 500;
/// Nobody looks for a way longer than this.
const GIVES_UP_AFTER_SECS: u64 = 700;
/// What stays on-chain for each channel.
const RESERVE_MSAT: u64 = 10_000_000;
/// A close is forgotten when it is so deep.
const BURIED: u32 = 101;

impl Life {
    pub(super) fn finish(&mut self) -> Result<(), Breach> {
        self.heal();
        self.settle();
        self.world.pass(5);
        self.settle();
        if self.has_lost() {
            return self.finish_lost();
        }
        if self.ledger.wishes.iter().any(|wish| !wish.state(&self.world).is_some_and(is_final)) {
            self.world.pass(GIVES_UP_AFTER_SECS);
            self.settle();
        }
        self.run_out()?;
        self.world.mine(6);
        self.rest();
        self.check()?;
        self.check_quiet()?;
        self.still_pays()?;
        self.close_everything()
    }

    /// Whatever was broken around the wallets works again.
    fn heal(&mut self) {
        self.world.random = None;
        self.world.is_chain_silent = false;
        self.world.never_cut();
        for host in 0..2 {
            self.world.hosts[host].never_crash();
            self.set_store(host, Mode::Prompt);
            self.hear_the_truth(host);
            self.world.sources[host] = Source::default();
        }
        self.settle();
        self.ledger.wish_again(&mut self.world);
        for host in 0..2 {
            self.tell_feerate(host, SAT_PER_KW);
        }
    }

    /// Everything happens, and everything is written; a node whose store is another's notices that by then.
    fn rest(&mut self) {
        for _ in 0..2 {
            self.settle();
            for host in 0..2 {
                self.world.input(host, Input::Flush);
            }
        }
        self.settle();
    }

    /// Nothing is on its way: both say the same, and nothing is left to be done.
    fn check_quiet(&self) -> Result<(), Breach> {
        if !self.world.is_connected(0, 1) {
            return Err(Breach::Views { what: "they are not connected".into() });
        }
        for (host, this) in self.world.hosts.iter().enumerate() {
            let undone = |what: String| Err(Breach::Undone { host, what });
            if let Some(what) = this.node().and_then(Node::why_not_close) {
                return undone(what.into());
            }
            if let Some(command) = this.unanswered().next() {
                return undone(format!("{command:?} has no answer"));
            }
            if !this.acts.is_empty() {
                return undone(format!("{:?}", this.acts));
            }
        }
        self.check_outcomes()?;
        self.check_views()
    }

    fn check_outcomes(&self) -> Result<(), Breach> {
        for (number, wish) in self.ledger.wishes.iter().enumerate() {
            let broken = |what: String| Err(Breach::Payment { number, payer: wish.payer, what });
            let Some(state) = wish.state(&self.world) else { return broken("unknown to its payer".into()) };
            let (sent, failed, received) = wish.told(&self.world);
            let told_payer = (sent, failed);
            if told_payer != (usize::from(is_sent(state)), usize::from(is_failed(state))) || !is_final(state)
            {
                return broken(format!("{state:?}, and told sent, failed {told_payer:?} times"));
            }
            let same = self.ledger.wishes.iter().filter(|other| other.hash() == wish.hash());
            let arrived = same.filter(|other| other.state(&self.world).is_some_and(is_sent)).count();
            let is_left = arrived == 0 && self.may_be_left(wish);
            if is_left && received <= 1 {
                continue;
            }
            if arrived != received || arrived != usize::from(wish.received(&self.world).is_some()) {
                return broken(format!("sent {arrived} times, told received {received} times"));
            }
        }
        Ok(())
    }

    fn check_views(&self) -> Result<(), Breach> {
        let differ = |what: String| Err(Breach::Views { what });
        let [ours, theirs] = [0, 1].map(|host| self.world.node(host).channels());
        for id in self.ledger.channels.keys() {
            let find = |channels: &[kite_core::node::ChannelInfo]| {
                channels.iter().find(|channel| channel.channel_id == *id).cloned()
            };
            let (one, other) = match (find(&ours), find(&theirs)) {
                (Some(one), Some(other)) => (one, other),
                (None, None) => continue,
                (one, other) => return differ(format!("{id:?}: {one:?}, {other:?}")),
            };
            let sum = one.local_balance.saturating_add(other.local_balance).to_msat();
            let in_flight = one.in_flight.to_msat() + other.in_flight.to_msat();
            match (one.state, other.state) {
                ("normal", "normal") if one.is_usable && other.is_usable => {
                    if sum != one.capacity.to_sat() * 1_000 || in_flight != 0 {
                        return differ(format!("the balances are not the capacity: {one:?}, {other:?}"));
                    }
                }
                ("closing", "closing") => {}
                _ => return differ(format!("{one:?}, {other:?}")),
            }
        }
        for (id, ours) in &self.stored[0].channels {
            let Some(theirs) = self.stored[1].channels.get(id).filter(|theirs| !theirs.is_over) else {
                continue;
            };
            let mirrored = [theirs.next_htlc[1], theirs.next_htlc[0]];
            let agree = (ours.local, ours.signed, ours.next_htlc) == (theirs.signed, theirs.local, mirrored);
            if !agree && !ours.is_over {
                return differ(format!("{ours:?}, {theirs:?}"));
            }
        }
        Ok(())
    }

    /// Whoever has something to send can send it.
    fn still_pays(&mut self) -> Result<(), Breach> {
        for by in 0..2 {
            let channels = self.world.node(by).channels();
            if !channels.iter().any(|channel| channel.spendable.to_msat() > 5_000_000) {
                continue;
            }
            self.ledger.pay(&mut self.world, by, 2_000_000, true);
            self.settle();
            let state = self.ledger.wishes.last().and_then(|wish| wish.state(&self.world));
            if !state.is_some_and(is_sent) {
                let number = self.ledger.wishes.len().saturating_sub(1);
                return Err(Breach::Payment {
                    number,
                    payer: by,
                    what: format!("cannot pay in the end: {state:?}"),
                });
            }
        }
        self.rest();
        self.check()?;
        self.check_quiet()
    }

    fn close_everything(&mut self) -> Result<(), Breach> {
        let first = self.ledger.wishes.len() % 2;
        self.ask_close(first);
        self.settle();
        self.world.mine(1);
        self.settle();
        self.check()?;
        self.world.mine_at_once(BURIED);
        self.rest();
        for host in 0..2 {
            let left = self.world.node(host).channels();
            if let Some(channel) =
                left.iter().find(|left| self.ledger.channels.contains_key(&left.channel_id))
            {
                return Err(Breach::Channel { host, what: format!("not closed in the end: {channel:?}") });
            }
        }
        self.check()?;
        self.take_coins_back()
    }

    /// Each wallet pays out all it has.
    fn take_coins_back(&mut self) -> Result<(), Breach> {
        let script_pubkey = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([9; 20]));
        for host in 0..2 {
            let command = Command::SendOnchain {
                id: PaymentId([0xff; 16]),
                script_pubkey: script_pubkey.clone(),
                amount: None,
                fee: Fee::Rate(FeeratePerKw::from_sat_per_kw(SAT_PER_KW)),
            };
            let answer = self.world.command(host, command);
            if !matches!(answer, Some(Ok(_))) {
                return Err(Breach::Undone { host, what: format!("the coins are not paid out: {answer:?}") });
            }
        }
        self.world.mine(1);
        self.rest();
        let mut kept = Amount::ZERO;
        for host in 0..2 {
            let balance = self.world.node(host).balance();
            // A channel that a peer began and never funded is waited for, and its close would have to be paid.
            let owned = u64::try_from(self.world.node(host).channels().len()).unwrap_or(0) * RESERVE_MSAT;
            let shown = balance.total.to_msat();
            // What an old copy takes its channels for is its own affair.
            if shown != owned && !self.is_lost[host] {
                return Err(Breach::Money { host, shown, owned });
            }
            kept += balance.onchain.total();
        }
        let given: Amount = self.ledger.given.into_iter().sum();
        let fees: Amount = self.world.chain.wallet_transactions().map(|(_, fee)| fee).sum();
        let back = self.world.chain.unspent_of(&script_pubkey);
        let left = self.left() + self.given_up();
        if back + kept + fees + left != given {
            let what = format!("{back} are back, {kept} kept, {left} left and {fees} were fees of {given}");
            return Err(Breach::Views { what });
        }
        Ok(())
    }

    /// Who lost state publishes no commitment, whatever happens (contract P10), unless its owner says so: the peer closes,
    /// and loses nothing by it.
    fn finish_lost(&mut self) -> Result<(), Breach> {
        for _ in 0..2 {
            self.world.mine(3);
            self.settle();
            for host in (0..2).filter(|host| self.is_lost[*host]).collect::<Vec<_>>() {
                self.world.crash(host);
            }
            self.settle();
        }
        self.check()?;
        self.check_silence()?;
        self.give_up_lost();
        self.settle();
        self.run_out()?;
        self.count_honest()
    }

    /// Who has lost nothing has its payments decided, its channels with the other over, and no more than the fees too little.
    fn count_honest(&mut self) -> Result<(), Breach> {
        self.world.mine_at_once(BURIED);
        self.rest();
        self.check()?;
        for (number, wish) in self.ledger.wishes.iter().enumerate() {
            let state = wish.state(&self.world);
            if !self.is_lost[wish.payer] && !state.is_some_and(is_final) {
                let what = format!("undecided in the end: {state:?}");
                return Err(Breach::Payment { number, payer: wish.payer, what });
            }
        }
        for host in (0..2).filter(|host| !self.is_lost[*host]).collect::<Vec<_>>() {
            self.ask_close(host);
        }
        self.settle();
        self.world.mine_at_once(BURIED);
        self.rest();
        self.check()?;
        self.take_coins_back()
    }

    fn check_silence(&self) -> Result<(), Breach> {
        for (id, channel) in &self.ledger.channels {
            let spends = |tx: &Transaction| {
                // What the other side published before, both signed: whoever holds it may publish it again.
                is_commitment(tx) && tx.input.iter().any(|input| input.previous_output == channel.outpoint)
            };
            let demands = self.ledger.demands_of(id);
            let must_wait = |host: usize| {
                demands.contains(&Demand::Loss(host))
                    && !demands.contains(&Demand::Owner(host))
                    && !demands.contains(&Demand::Deadline(host))
            };
            let since = |host: usize| self.restored_at[host].unwrap_or(0);
            let mut published = self.world.published.iter().enumerate();
            let spoke = published.find(|(at, (host, tx))| {
                let is_its_own = self.world.first_to_publish(tx) == Some(*host);
                must_wait(*host) && *at >= since(*host) && spends(tx) && is_its_own
            });
            if let Some((_, (host, tx))) = spoke {
                let what = format!("an old copy published {}", tx.compute_txid());
                return Err(Breach::Channel { host: *host, what });
            }
        }
        Ok(())
    }
}

fn is_final(state: &OutgoingState) -> bool {
    is_sent(state) || is_failed(state)
}
