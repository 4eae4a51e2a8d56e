//! Circuits as Rust code.

use crate::circuit::{Circuit, Family, Gate, Output};
use crate::order;
use crate::polarity;

/// The code of the circuits that the engine uses: one module for each family, one function for each box.
///
/// # Errors
/// Says which circuit is missing, twice there or wrong.
pub fn code(circuits: &[Circuit]) -> Result<String, String> {
    let mut code = String::from(HEAD);
    circuits.iter().try_for_each(Circuit::prove)?;
    // `Lut3` would let a shared key be folded into the data. Measured, that is no faster than what pairs of outputs save.
    for family in [Family::Plain, Family::Lut3Pair] {
        code += &format!("\n{}", module_head(family));
        let circuits = of_family(circuits, family)?;
        if family == Family::Plain {
            let inverted_inputs = polarity::choose(&circuits);
            let mut inverted_outputs = [0; 8];
            for (box_index, circuit) in circuits.into_iter().enumerate() {
                let (text, inverted) = plain(circuit, inverted_inputs[box_index]);
                code += &text;
                inverted_outputs[box_index] = inverted;
            }
            code +=
                &format!("{INVERTED_INPUTS}{inverted_inputs:?};\n{INVERTED_OUTPUTS}{inverted_outputs:?};\n");
        } else {
            circuits.into_iter().for_each(|circuit| code += &lut3(circuit));
        }
        code += "}\n";
    }
    Ok(code)
}

/// The eight circuits of a family.
fn of_family(circuits: &[Circuit], family: Family) -> Result<[&Circuit; 8], String> {
    let mut all = [None; 8];
    for circuit in circuits.iter().filter(|circuit| circuit.family == family) {
        if all[circuit.number - 1].replace(circuit).is_some() {
            return Err(format!("S{} {}: twice", circuit.number, family.name()));
        }
    }
    match all {
        [Some(a), Some(b), Some(c), Some(d), Some(e), Some(f), Some(g), Some(h)] => {
            Ok([a, b, c, d, e, f, g, h])
        }
        _ => Err(format!("a box of {} is missing", family.name())),
    }
}

const INVERTED_INPUTS: &str = "
    /// Input bits of S1 to S8 that are to be handed over inverted, the first input bit at the top of six. Bits that two boxes share agree.
    pub(in crate::bulk) const INVERTED_INPUTS: [u8; 8] = ";
const INVERTED_OUTPUTS: &str = "
    /// Output bits of S1 to S8 that come out inverted then, the first output bit at the top of four.
    pub(in crate::bulk) const INVERTED_OUTPUTS: [u8; 8] = ";

const HEAD: &str = "//! S-box circuits. Made from `data/sbox_circuits.txt` by `tools/sbox-search`: change the data, not this file.

#![cfg_attr(rustfmt, rustfmt::skip)]
";

fn module_head(family: Family) -> String {
    let (name, about) = match family {
        Family::Plain => (
            "plain",
            "AND, OR, XOR and AND-NOT. Inputs marked in `INVERTED_INPUTS` come inverted. Each output is handed to `out` once it is there; those\n/// marked in `INVERTED_OUTPUTS` are inverted.",
        ),
        Family::Lut3 => ("lut3", "Three-input gates; every output is one gate."),
        Family::Lut3Pair => {
            ("lut3_pair", "Three-input gates; the outputs are XORed onto `l`, some as the XOR of two gates.")
        }
    };
    format!("/// {about}\npub(super) mod {name} {{\n    use crate::bulk::word::Word;\n")
}

fn function_head(circuit: &Circuit) -> String {
    let (more, result) = match circuit.family {
        Family::Plain => (", mut out: impl FnMut(usize, W)", ""),
        Family::Lut3 => ("", "-> [W; 4] "),
        Family::Lut3Pair => (", l: [W; 4]", "-> [W; 4] "),
    };
    format!(
        "\n    /// S{0}, {1} gates.\n    #[inline(always)]\n    pub(in crate::bulk) fn s{0}<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6]{more}) {result}{{\n",
        circuit.number,
        circuit.gates.len(),
    )
}

fn lut3(circuit: &Circuit) -> String {
    let mut code = function_head(circuit);
    for (index, Gate { table, wires }) in circuit.gates.iter().enumerate() {
        code += &format!(
            "        let w{} = W::lut::<0x{table:02X}>(w{}, w{}, w{});\n",
            6 + index,
            wires[0],
            wires[1],
            wires[2]
        );
    }
    let outputs: Vec<String> =
        circuit.outputs.iter().enumerate().map(|(bit, out)| lut3_output(circuit, bit, out)).collect();
    code + &format!("        [{}]\n    }}\n", outputs.join(", "))
}

fn lut3_output(circuit: &Circuit, bit: usize, output: &Output) -> String {
    let not = if output.inverted { ".not()" } else { "" };
    match (circuit.family, output.wires.as_slice()) {
        (Family::Lut3Pair, [wire]) => format!("l[{bit}].xor(w{wire}{not})"),
        (Family::Lut3Pair, [one, other]) => format!("l[{bit}].xor3(w{one}, w{other}{not})"),
        (_, wires) => format!("w{}{not}", wires[0]),
    }
}

/// Rewrites the gates to the four that every processor has by keeping some wires inverted. Returns the outputs that are, too.
fn plain(circuit: &Circuit, inverted_inputs: u8) -> (String, u8) {
    let mut code = function_head(circuit);
    let mut inverted_outputs = 0;
    // What each wire is called in the code, and whether it carries the inverse there.
    let mut wires: Vec<(usize, bool)> =
        (0..6 + circuit.gates.len()).map(|wire| (wire, is_inverted(inverted_inputs, wire))).collect();
    for gate in order::gates(circuit) {
        let Gate { table, wires: inputs } = &circuit.gates[gate];
        let (a, b) = (wires[inputs[0]], wires[inputs[1]]);
        let name = 6 + gate;
        wires[name] = match Form::of(*table) {
            Form::First(inverted) => (a.0, a.1 ^ inverted),
            Form::Second(inverted) => (b.0, b.1 ^ inverted),
            Form::Xor(inverted) => {
                code += &format!("        let w{name} = w{}.xor(w{});\n", a.0, b.0);
                (name, a.1 ^ b.1 ^ inverted)
            }
            Form::And { first, second, inverted } => {
                let (call, flipped) = match (first ^ a.1, second ^ b.1) {
                    (false, false) => (format!("w{}.and(w{})", a.0, b.0), false),
                    (false, true) => (format!("w{}.and_not(w{})", a.0, b.0), false),
                    (true, false) => (format!("w{}.and_not(w{})", b.0, a.0), false),
                    (true, true) => (format!("w{}.or(w{})", a.0, b.0), true),
                };
                code += &format!("        let w{name} = {call};\n");
                (name, inverted ^ flipped)
            }
        };
        for (bit, output) in circuit.outputs.iter().enumerate().filter(|(_, output)| output.wires[0] == name)
        {
            code += &format!("        out({bit}, w{});\n", wires[name].0);
            inverted_outputs |= u8::from(wires[name].1 ^ output.inverted) << (3 - bit);
        }
    }
    (code + "    }\n", inverted_outputs)
}

/// Whether a wire is an input bit that `inverted_inputs` marks.
fn is_inverted(inverted_inputs: u8, wire: usize) -> bool {
    wire < 6 && (inverted_inputs >> (5 - wire)) & 1 == 1
}

/// The wires that [`code`] needs inverted: an instruction each where there is no AND-NOT.
pub(crate) fn inverted_wires(circuit: &Circuit, inverted_inputs: u8) -> usize {
    let mut inverted: Vec<bool> = (0..6).map(|wire| is_inverted(inverted_inputs, wire)).collect();
    let mut needed = vec![false; 6 + circuit.gates.len()];
    for gate in &circuit.gates {
        let [first_wire, second_wire] = [gate.wires[0], gate.wires[1]];
        let (a, b) = (inverted[first_wire], inverted[second_wire]);
        inverted.push(match Form::of(gate.table) {
            Form::First(inverse) => a ^ inverse,
            Form::Second(inverse) => b ^ inverse,
            Form::Xor(inverse) => a ^ b ^ inverse,
            Form::And { first, second, inverted } => {
                match (first ^ a, second ^ b) {
                    (true, false) => needed[first_wire] = true,
                    (false, true) => needed[second_wire] = true,
                    _ => {}
                }
                inverted ^ (first ^ a && second ^ b)
            }
        });
    }
    needed.iter().filter(|needed| **needed).count()
}

/// What a gate of two inputs does, up to inversions.
enum Form {
    First(bool),
    Second(bool),
    Xor(bool),
    And { first: bool, second: bool, inverted: bool },
}

impl Form {
    fn of(table: u8) -> Self {
        match table & 0xF {
            0xC => Self::First(false),
            0x3 => Self::First(true),
            0xA => Self::Second(false),
            0x5 => Self::Second(true),
            0x6 => Self::Xor(false),
            0x9 => Self::Xor(true),
            table => {
                let inverted = table.count_ones() == 3;
                let row = if inverted { !table & 0xF } else { table }.trailing_zeros();
                assert!(row < 4, "a gate is no constant");
                Self::And { first: row & 2 == 0, second: row & 1 == 0, inverted }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::read;

    #[test]
    fn the_code_in_the_crate_is_made_from_its_data() {
        let circuits = read(include_str!("../../../crates/tdea/data/sbox_circuits.txt")).unwrap();
        assert_eq!(circuits.len(), 24);
        let code = code(&circuits).unwrap();
        assert!(
            code == include_str!("../../../crates/tdea/src/bulk/circuits.rs"),
            "run `cargo run -p sbox-search --bin generate-circuits`"
        );
    }

    #[test]
    fn a_wrong_gate_is_found() {
        let mut circuits = read(include_str!("../../../crates/tdea/data/sbox_circuits.txt")).unwrap();
        circuits[9].gates[3].table ^= 1;
        assert!(code(&circuits).is_err());
    }

    #[test]
    fn the_text_form_reads_back() {
        let circuits = read(include_str!("../../../crates/tdea/data/sbox_circuits.txt")).unwrap();
        let text: String = circuits.iter().map(Circuit::text).collect();
        assert_eq!(read(&text).unwrap(), circuits);
    }
}
