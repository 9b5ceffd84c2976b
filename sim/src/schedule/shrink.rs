//! A failing schedule without whatever the failure does not need.

use super::{Base, Money, Schedule, Step};

/// The shortest schedule that can be had by leaving out steps and making them simpler, one thing at a time, while
/// `still_fails`.
pub fn shrink(schedule: &Schedule, still_fails: impl Fn(&Schedule) -> bool) -> Schedule {
    let mut best = schedule.clone();
    loop {
        let before = best.clone();
        leave_out(&mut best, &still_fails);
        make_simpler(&mut best, &still_fails);
        if best == before {
            return best;
        }
    }
}

/// First halves, then quarters, down to single steps.
fn leave_out(best: &mut Schedule, still_fails: &impl Fn(&Schedule) -> bool) {
    let mut length = best.steps.len().div_ceil(2);
    while length > 0 {
        let mut from = 0;
        while from < best.steps.len() {
            let mut shorter = best.clone();
            shorter.steps.drain(from..(from + length).min(best.steps.len()));
            if still_fails(&shorter) {
                *best = shorter;
            } else {
                from += length;
            }
        }
        length = if length == 1 { 0 } else { length.div_ceil(2) };
    }
}

fn make_simpler(best: &mut Schedule, still_fails: &impl Fn(&Schedule) -> bool) {
    for base in Base::ALL.into_iter().take_while(|base| *base != best.base) {
        let simpler = Schedule { base, ..best.clone() };
        if still_fails(&simpler) {
            *best = simpler;
            break;
        }
    }
    for index in 0..best.steps.len() {
        for step in simpler(best.steps[index]) {
            let mut candidate = best.clone();
            candidate.steps[index] = step;
            if still_fails(&candidate) {
                *best = candidate;
                break;
            }
        }
    }
}

/// What may stand for a step, the simplest first.
fn simpler(step: Step) -> Vec<Step> {
    match step {
        Step::Pay { by, how_much } => [1_000_000, 20_000_000]
            .map(Money::Msat)
            .into_iter()
            .take_while(|simpler| *simpler != how_much)
            .map(|how_much| Step::Pay { by, how_much })
            .collect(),
        Step::Deliver { pieces, order } => {
            let mut simpler: Vec<Step> =
                (1..pieces).map(|pieces| Step::Deliver { pieces, order: 0 }).collect();
            simpler.extend((order != 0).then_some(Step::Deliver { pieces, order: 0 }));
            simpler
        }
        Step::Settle { order: 1.. } => vec![Step::Settle { order: 0 }],
        Step::Wait { blocks } => (1..blocks).map(|blocks| Step::Wait { blocks }).collect(),
        Step::Crowd { blocks } => (1..blocks).map(|blocks| Step::Crowd { blocks }).collect(),
        Step::Cheat { by, looks } => (1..looks).map(|looks| Step::Cheat { by, looks }).collect(),
        Step::Mislead { host, lie, steps } => {
            let shorter = (1..steps).map(|steps| Step::Mislead { host, lie, steps });
            std::iter::once(Step::Lie { host, lie }).chain(shorter).collect()
        }
        Step::Neglect { host, blocks } => (1..blocks).map(|blocks| Step::Neglect { host, blocks }).collect(),
        Step::Swap { depth } => vec![Step::Reorg { depth }],
        Step::Mine { blocks } => (1..blocks).map(|blocks| Step::Mine { blocks }).collect(),
        Step::Reorg { depth } => (1..depth).map(|depth| Step::Reorg { depth }).collect(),
        Step::Crash { host, batch, how } => {
            (1..batch).map(|batch| Step::Crash { host, batch, how }).collect()
        }
        Step::CutAt { delivery } => {
            let earlier = (1..delivery).map(|delivery| Step::CutAt { delivery });
            std::iter::once(Step::Cut).chain(earlier).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_it_takes() {
        let noise = |count| (0..count).map(|secs| Step::Pass { secs });
        let culprits = [Step::Cut, Step::Mine { blocks: 3 }];
        let steps = noise(9).chain([culprits[0]]).chain(noise(20)).chain([culprits[1]]).collect();
        let schedule = Schedule { base: Base::TwoChannels, steps };
        let fails = |schedule: &Schedule| {
            let cut = schedule.steps.iter().position(|step| *step == Step::Cut);
            let mine = schedule.steps.iter().position(|step| matches!(step, Step::Mine { blocks: 2.. }));
            schedule.base != Base::Coins && cut.zip(mine).is_some_and(|(cut, mine)| cut < mine)
        };
        let least = shrink(&schedule, fails);
        assert_eq!(
            least,
            Schedule { base: Base::OneSided, steps: vec![Step::Cut, Step::Mine { blocks: 2 }] }
        );
    }
}
