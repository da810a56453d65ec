//! Which collectors are read less often so that all together stay within a load budget. Takes what each costs and how
//! it is read now; hands on by how much each interval is multiplied.

/// No collector is read less often than this many times its interval.
const WIDEST: u32 = 64;

/// What is narrowed again may take up to this share of the budget: what swings around it changes nothing.
const CALM: f64 = 0.75;

/// Where those that may not be widened take the whole budget, the others still have this share of it: to starve them
/// would save next to nothing.
const KEPT: f64 = 0.25;

/// What one collector costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// The share of a core that its statements take when they are read at the declared interval.
    pub load: f64,
    /// Whether it may be read less often.
    pub may_widen: bool,
    /// By how much its interval is multiplied now.
    pub factor: u32,
}

/// By how much each interval is to be multiplied: powers of two up to [`WIDEST`]. Past the budget the fewest collectors
/// that bring the sum back are widened, the dearest; well within it the cheapest are narrowed first.
pub fn widen(costs: &[Cost], budget: f64) -> Vec<u32> {
    let mut factors: Vec<u32> = costs.iter().map(|cost| cost.factor.max(1)).collect();
    let dearest = dearest(costs);
    let bounds = Bounds::of(costs, budget);
    if total(costs, &factors) > bounds.most {
        let enough = enough(costs, &factors, &dearest, bounds.most);
        while total(costs, &factors) > bounds.most {
            let load = |place: &usize| costs[*place].load / f64::from(factors[*place]);
            let open = enough.iter().filter(|place| factors[**place] < WIDEST);
            let Some(place) = open.max_by(|one, other| load(one).total_cmp(&load(other))) else {
                break;
            };
            factors[*place] *= 2;
        }
    } else {
        for place in dearest.iter().rev() {
            while factors[*place] > 1 {
                factors[*place] /= 2;
                if total(costs, &factors) > bounds.calm {
                    factors[*place] *= 2;
                    break;
                }
            }
        }
    }
    factors
}

/// Between which sums nothing changes.
struct Bounds {
    /// Past this, collectors are widened.
    most: f64,
    /// Up to this, they are narrowed.
    calm: f64,
}

impl Bounds {
    fn of(costs: &[Cost], budget: f64) -> Self {
        let sum = |may_widen: bool| -> f64 {
            let those = costs.iter().filter(|cost| cost.may_widen == may_widen);
            those.map(|cost| cost.load).sum()
        };
        let fixed = sum(false);
        let within_reach = fixed + sum(true) / f64::from(WIDEST) <= budget;
        Bounds {
            most: match within_reach {
                true => budget,
                false => fixed + budget * KEPT,
            },
            // Far enough past the budget that what swings does not come within reach of it again.
            calm: match fixed * CALM >= budget {
                true => fixed + budget * KEPT * CALM,
                false => budget * CALM,
            },
        }
    }
}

/// The share of a core that all take together when their intervals are multiplied so.
pub fn total(costs: &[Cost], factors: &[u32]) -> f64 {
    let each = costs.iter().zip(factors);
    each.map(|(cost, factor)| cost.load / f64::from(*factor))
        .sum()
}

/// The places of those that may be widened, the dearest first.
fn dearest(costs: &[Cost]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..costs.len())
        .filter(|place| costs[*place].may_widen)
        .collect();
    places.sort_by(|one, other| costs[*other].load.total_cmp(&costs[*one].load));
    places
}

/// The first few of the dearest that would bring the sum within the budget; all of them when none do.
fn enough<'p>(costs: &[Cost], factors: &[u32], dearest: &'p [usize], budget: f64) -> &'p [usize] {
    let mut widest = factors.to_vec();
    for (count, place) in dearest.iter().enumerate() {
        widest[*place] = WIDEST;
        if total(costs, &widest) <= budget {
            return &dearest[..=count];
        }
    }
    dearest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Loads in percent; those with `!` may not be widened.
    fn check(loads: &str, budget: f64, factors: &[u32]) -> Vec<u32> {
        let costs: Vec<Cost> = loads
            .split(' ')
            .zip(factors)
            .map(|(load, factor)| Cost {
                load: load.trim_end_matches('!').parse::<f64>().unwrap() / 100.0,
                may_widen: !load.ends_with('!'),
                factor: *factor,
            })
            .collect();
        widen(&costs, budget / 100.0)
    }

    #[test]
    fn the_dearest_are_widened_and_the_cheapest_narrowed_first() {
        let cases: [(&str, f64, &[u32], &[u32]); 11] = [
            ("1 1 1", 5.0, &[1, 1, 1], &[1, 1, 1]),
            ("1 20 1", 5.0, &[1, 1, 1], &[1, 8, 1]),
            ("3 20 3", 5.1, &[1, 1, 1], &[4, 16, 1]),
            // The quick ones take it all: the others keep a quarter of it.
            ("8! 20 1", 5.0, &[1, 1, 1], &[1, 32, 2]),
            ("8! 0.5 0.5", 5.0, &[1, 64, 64], &[1, 2, 1]),
            ("6! 0.5 0.5", 5.0, &[1, 64, 64], &[1, 64, 64]),
            ("1000 1", 5.0, &[1, 1], &[64, 64]),
            // Between three quarters of the budget and all of it nothing changes.
            ("8 1", 5.0, &[2, 1], &[2, 1]),
            ("5 0.2", 5.0, &[2, 1], &[2, 1]),
            ("3 0.2", 5.0, &[2, 1], &[1, 1]),
            ("1 2 30", 5.0, &[4, 4, 32], &[1, 2, 32]),
        ];
        for (loads, budget, before, after) in cases {
            assert_eq!(
                check(loads, budget, before),
                after,
                "{loads} from {before:?}"
            );
        }
    }

    fn costs() -> impl Strategy<Value = Vec<Cost>> {
        let cost =
            (0.0..1.0f64, proptest::bool::weighted(0.7)).prop_map(|(share, may_widen)| Cost {
                load: share.powi(6) * 0.5,
                may_widen,
                factor: 1,
            });
        proptest::collection::vec(cost, 1..30)
    }

    proptest! {
        #[test]
        fn the_sum_comes_within_the_budget_wherever_it_can_with_the_fewest(
            costs in costs(), budget in 0.01..0.2f64,
        ) {
            let factors = widen(&costs, budget);
            let widest: Vec<u32> =
                costs.iter().map(|cost| if cost.may_widen { WIDEST } else { 1 }).collect();
            let reached = total(&costs, &widest) <= budget;
            let most = if reached { budget } else { Bounds::of(&costs, budget).most };
            prop_assert!(total(&costs, &factors) <= most.max(total(&costs, &widest)));
            for (cost, factor) in costs.iter().zip(&factors) {
                prop_assert!(factor.is_power_of_two() && *factor <= WIDEST);
                prop_assert!(cost.may_widen || *factor == 1);
            }
            let widened = factors.iter().filter(|factor| **factor > 1).count();
            if reached && widened > 0 {
                let mut fewer = vec![1; costs.len()];
                for place in &dearest(&costs)[..widened - 1] {
                    fewer[*place] = WIDEST;
                }
                prop_assert!(total(&costs, &fewer) > budget);
            }
        }

        #[test]
        fn a_load_that_swings_changes_nothing_back_and_forth(
            mut costs in costs(),
            swings in proptest::collection::vec(proptest::collection::vec(0.9..1.1f64, 30), 40),
        ) {
            let loads: Vec<f64> = costs.iter().map(|cost| cost.load).collect();
            let mut turns = vec![Vec::new(); costs.len()];
            for swing in swings {
                for ((cost, load), swing) in costs.iter_mut().zip(&loads).zip(swing) {
                    cost.load = load * swing;
                }
                for (place, factor) in widen(&costs, 0.05).into_iter().enumerate() {
                    let before = std::mem::replace(&mut costs[place].factor, factor);
                    if factor != before {
                        turns[place].push(factor > before);
                    }
                }
            }
            for turns in turns {
                let back = turns.windows(2).filter(|pair| pair[0] != pair[1]).count();
                prop_assert!(back <= 1, "{turns:?}");
            }
        }
    }
}
