//! The order of gates: few values at a time, so that they stay in registers.

use crate::circuit::Circuit;
use crate::random::Random;

/// Values that sixteen registers hold beside what the code around needs: measured as the best of 9 to 14 on x86-64.
const REGISTERS: usize = 11;
/// Orders that are tried; the seed is fixed, so that the code comes out the same every time.
const TRIES: usize = 3000;

/// The gates in an order that needs few registers; each after those it reads.
pub(crate) fn gates(circuit: &Circuit) -> Vec<usize> {
    let mut random = Random::new(0x0DE5);
    let tries = (0..TRIES).map(|_| attempt(circuit, &mut random));
    tries.min_by_key(|(cost, _)| *cost).expect("there are tries").1
}

/// One order, made by always taking a gate after which few values are alive, and what it costs.
fn attempt(circuit: &Circuit, random: &mut Random) -> (usize, Vec<usize>) {
    let count = circuit.gates.len();
    // An output is used up at once, so it is no reader.
    let mut readers = vec![0; 6 + count];
    for wire in circuit.gates.iter().flat_map(|gate| &gate.wires) {
        readers[*wire] += 1;
    }
    let (mut order, mut done, mut alive) = (Vec::new(), vec![false; 6 + count], vec![false; 6 + count]);
    done[..6].fill(true);
    let mut cost = 0;
    while order.len() < count {
        let ready = (0..count)
            .filter(|gate| !done[6 + gate] && circuit.gates[*gate].wires.iter().all(|wire| done[*wire]));
        let next = ready
            .min_by_key(|gate| {
                let wires = &circuit.gates[*gate].wires;
                let dying = wires.iter().filter(|wire| readers[**wire] == 1).count();
                // An input of the box is read from memory when it is first used.
                let loaded = wires.iter().filter(|wire| !alive[**wire]).count();
                (2 * (3 + loaded - dying) + random.below(3), random.below(1 << 20))
            })
            .expect("a circuit has no cycle");
        for wire in &circuit.gates[next].wires {
            readers[*wire] -= 1;
            alive[*wire] = readers[*wire] > 0;
        }
        done[6 + next] = true;
        alive[6 + next] = readers[6 + next] > 0;
        let live = alive.iter().filter(|alive| **alive).count();
        cost += 16 * live.saturating_sub(REGISTERS) + live / 4;
        order.push(next);
    }
    (cost, order)
}
