//! Which bits of a half block the engine keeps inverted, so that hardly any gate has to be inverted.
//!
//! AND, OR, XOR and AND-NOT make zeros of zeros. A circuit of them that is fed its inputs XORed with `m` therefore puts out the box XORed
//! with `S(m)`, whatever its gates. The half block comes out as it went in, inverted where it was, if `S(m)` is zero in every box:
//! `f(half, 0) = 0` in the words of FIPS 46-3. No half block does that; some come within a bit.

use crate::circuit::Circuit;
use crate::emit;
use crate::sbox;

/// What an inverted output costs: two instructions, where an inverted wire costs one or, if there is AND-NOT, none.
const OUTPUT: usize = 3;

/// The inverted inputs of each box, for a half block whose bits cost least, the first input at the top of six.
pub(crate) fn choose(circuits: &[&Circuit; 8]) -> [u8; 8] {
    let costs = circuits.map(|circuit| (0..64).map(|inputs| cost(circuit, inputs)).collect::<Vec<_>>());
    (0..64).filter_map(|first| ring(&costs, first)).min().expect("there are half blocks").1
}

fn cost(circuit: &Circuit, inverted_inputs: u8) -> usize {
    let outputs = sbox::outputs(circuit.number).map(|output| (output >> inverted_inputs) & 1);
    OUTPUT * outputs.iter().filter(|output| **output == 1).count()
        + emit::inverted_wires(circuit, inverted_inputs)
}

/// The least that all boxes cost if the first has these inputs, and their inputs then. The last two bits of a box are the first two of the next.
fn ring(costs: &[Vec<usize>; 8], first: u8) -> Option<(usize, [u8; 8])> {
    let mut least = vec![None; 64];
    least[usize::from(first)] = Some((costs[0][usize::from(first)], [first, 0, 0, 0, 0, 0, 0, 0]));
    for (number, costs) in costs.iter().enumerate().skip(1) {
        let mut next = vec![None; 64];
        for (before, inputs) in (0..64_u8).flat_map(|before| (0..64_u8).map(move |inputs| (before, inputs))) {
            if let Some((cost, mut all)) = least[usize::from(before)].filter(|_| before & 3 == inputs >> 4) {
                all[number] = inputs;
                let found = (cost + costs[usize::from(inputs)], all);
                let so_far: &mut Option<(usize, [u8; 8])> = &mut next[usize::from(inputs)];
                *so_far = Some(so_far.map_or(found, |so_far| so_far.min(found)));
            }
        }
        least = next;
    }
    (0..64).filter(|last| last & 3 == first >> 4).filter_map(|last| least[usize::from(last)]).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::{Family, read};

    #[test]
    fn the_chosen_half_block_leaves_two_outputs_inverted() {
        let circuits = read(include_str!("../../../crates/tdea/data/sbox_circuits.txt")).unwrap();
        let plain: Vec<&Circuit> =
            circuits.iter().filter(|circuit| circuit.family == Family::Plain).collect();
        let inputs = choose(plain.as_slice().try_into().unwrap());
        let inverted = |inputs: [u8; 8]| -> u32 {
            let boxes = inputs.iter().zip(1..).map(|(inputs, number)| {
                sbox::outputs(number).map(|output| (output >> inputs) & 1).iter().sum::<u64>()
            });
            boxes.sum::<u64>().try_into().unwrap()
        };
        for (one, next) in inputs.iter().zip(inputs.iter().cycle().skip(1)) {
            assert_eq!(one & 3, next >> 4);
        }
        assert_eq!((inverted([0; 8]), inverted(inputs)), (19, 2));
    }
}
