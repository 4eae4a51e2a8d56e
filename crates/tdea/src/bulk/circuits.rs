//! S-box circuits. Made from `data/sbox_circuits.txt` by `tools/sbox-search`: change the data, not this file.

#![cfg_attr(rustfmt, rustfmt::skip)]

/// AND, OR, XOR and AND-NOT. Inputs marked in `INVERTED_INPUTS` come inverted. Each output is handed to `out` once it is there; those
/// marked in `INVERTED_OUTPUTS` are inverted.
pub(super) mod plain {
    use crate::bulk::word::Word;

    /// S1, 51 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s1<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w8 = w0.and_not(w3);
        let w40 = w0.or(w3);
        let w41 = w1.or(w40);
        let w9 = w5.and_not(w8);
        let w44 = w2.and_not(w1);
        let w6 = w0.xor(w2);
        let w7 = w3.xor(w6);
        let w10 = w7.or(w9);
        let w11 = w10.xor(w2);
        let w14 = w5.and(w11);
        let w15 = w7.xor(w14);
        let w16 = w1.and(w15);
        let w21 = w11.xor(w16);
        let w20 = w9.or(w11);
        let w22 = w7.or(w21);
        let w23 = w20.xor(w22);
        let w24 = w6.and(w23);
        let w25 = w15.and_not(w24);
        let w31 = w5.or(w25);
        let w26 = w25.xor(w1);
        let w51 = w1.or(w23);
        let w38 = w11.and(w26);
        let w39 = w24.or(w38);
        let w42 = w39.xor(w41);
        let w12 = w7.and_not(w11);
        let w48 = w42.and_not(w26);
        let w43 = w4.and(w42);
        let w45 = w43.xor(w44);
        let w46 = w31.xor(w45);
        let w47 = w23.xor(w46);
        out(1, w47);
        let w27 = w21.xor(w26);
        let w28 = w20.xor(w27);
        let w32 = w27.or(w4);
        let w33 = w21.xor(w32);
        out(2, w33);
        let w34 = w15.and_not(w33);
        let w35 = w31.xor(w34);
        let w36 = w3.or(w35);
        let w50 = w7.and_not(w28);
        let w52 = w50.xor(w51);
        let w53 = w9.xor(w52);
        let w54 = w36.xor(w53);
        let w13 = w7.xor(w12);
        let w49 = w12.xor(w4);
        let w55 = w54.and_not(w49);
        let w56 = w48.xor(w55);
        out(3, w56);
        let w17 = w13.xor(w16);
        let w18 = w17.and_not(w0);
        let w19 = w4.or(w18);
        let w29 = w19.xor(w28);
        let w30 = w13.xor(w29);
        let w37 = w30.xor(w36);
        out(0, w37);
    }

    /// S2, 51 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s2<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w6 = w0.and(w4);
        let w7 = w5.and_not(w6);
        let w8 = w0.and_not(w5);
        let w9 = w3.xor(w4);
        let w10 = w9.and_not(w8);
        let w14 = w8.xor(w9);
        let w11 = w3.and_not(w10);
        let w12 = w7.xor(w11);
        let w13 = w1.and(w12);
        let w21 = w8.xor(w13);
        let w15 = w1.and_not(w5);
        let w16 = w0.or(w15);
        let w17 = w7.xor(w16);
        let w18 = w17.and_not(w2);
        let w19 = w14.xor(w18);
        let w20 = w13.xor(w19);
        out(0, w20);
        let w24 = w16.xor(w20);
        let w27 = w24.and_not(w15);
        let w28 = w10.xor(w27);
        let w25 = w5.and(w24);
        let w37 = w7.or(w25);
        let w36 = w4.and_not(w20);
        let w38 = w36.xor(w37);
        let w29 = w20.and_not(w2);
        let w22 = w2.and_not(w1);
        let w23 = w21.xor(w22);
        let w39 = w23.xor(w38);
        let w40 = w21.or(w39);
        let w26 = w23.xor(w25);
        let w41 = w3.and(w40);
        let w52 = w0.and(w41);
        let w46 = w25.and_not(w2);
        let w42 = w2.and_not(w41);
        let w43 = w14.xor(w42);
        let w44 = w29.or(w43);
        let w30 = w26.xor(w29);
        let w31 = w12.and(w30);
        let w32 = w28.xor(w31);
        let w33 = w4.or(w32);
        let w35 = w3.xor(w30);
        let w34 = w26.xor(w33);
        out(1, w34);
        let w45 = w33.and(w35);
        let w47 = w45.xor(w46);
        let w48 = w1.and_not(w47);
        let w49 = w39.xor(w48);
        out(3, w49);
        let w53 = w49.and_not(w24);
        let w54 = w52.xor(w53);
        let w55 = w5.and(w54);
        let w50 = w44.xor(w49);
        let w51 = w35.xor(w50);
        let w56 = w51.xor(w55);
        out(2, w56);
    }

    /// S3, 48 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s3<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w6 = w2.xor(w5);
        let w26 = w5.and_not(w3);
        let w14 = w4.xor(w5);
        let w15 = w14.xor(w3);
        let w9 = w4.and_not(w3);
        let w7 = w4.and_not(w2);
        let w8 = w6.xor(w7);
        let w16 = w15.and_not(w14);
        let w17 = w7.xor(w16);
        let w10 = w1.xor(w9);
        let w33 = w10.and(w26);
        let w11 = w0.xor(w10);
        let w12 = w8.xor(w11);
        let w13 = w3.xor(w12);
        let w34 = w13.xor(w33);
        let w18 = w17.and_not(w13);
        let w19 = w6.xor(w18);
        let w20 = w0.xor(w19);
        let w24 = w11.or(w20);
        let w25 = w1.xor(w24);
        let w27 = w25.or(w26);
        let w35 = w7.xor(w25);
        let w21 = w1.and(w19);
        let w22 = w20.and_not(w21);
        let w36 = w35.and_not(w21);
        let w28 = w19.xor(w27);
        let w37 = w27.xor(w36);
        let w49 = w14.xor(w37);
        let w38 = w2.and_not(w37);
        let w39 = w34.xor(w38);
        out(1, w39);
        let w45 = w9.or(w39);
        let w46 = w11.xor(w45);
        let w47 = w1.and_not(w46);
        let w23 = w22.or(w2);
        let w50 = w28.and(w49);
        let w51 = w17.xor(w50);
        let w29 = w12.or(w28);
        let w41 = w29.or(w36);
        let w42 = w0.xor(w41);
        let w43 = w2.or(w42);
        let w30 = w0.and(w29);
        let w31 = w15.xor(w30);
        let w52 = w51.and_not(w0);
        let w53 = w12.xor(w52);
        out(3, w53);
        let w32 = w23.xor(w31);
        out(0, w32);
        let w40 = w12.xor(w31);
        let w44 = w40.xor(w43);
        let w48 = w44.xor(w47);
        out(2, w48);
    }

    /// S4, 36 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s4<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w6 = w1.xor(w3);
        let w9 = w3.and_not(w4);
        let w10 = w2.xor(w9);
        let w7 = w1.and(w2);
        let w11 = w10.and_not(w4);
        let w8 = w6.or(w7);
        let w12 = w8.xor(w11);
        let w29 = w7.or(w12);
        let w13 = w1.and(w12);
        let w14 = w13.and_not(w3);
        let w15 = w4.and_not(w10);
        let w16 = w14.or(w15);
        let w23 = w10.xor(w13);
        let w30 = w3.xor(w23);
        let w20 = w6.and_not(w16);
        let w31 = w29.and(w30);
        let w33 = w13.or(w31);
        let w34 = w6.xor(w33);
        let w35 = w0.and(w34);
        let w17 = w0.or(w16);
        let w21 = w0.or(w20);
        let w18 = w12.xor(w17);
        let w36 = w4.xor(w30);
        let w32 = w21.xor(w31);
        let w37 = w35.xor(w36);
        let w22 = w21.or(w18);
        let w19 = w4.xor(w18);
        let w24 = w22.xor(w23);
        let w38 = w37.and_not(w5);
        let w39 = w32.xor(w38);
        out(2, w39);
        let w40 = w5.xor(w37);
        let w41 = w39.xor(w40);
        out(3, w41);
        let w25 = w5.and_not(w24);
        let w27 = w5.xor(w24);
        let w26 = w19.xor(w25);
        out(0, w26);
        let w28 = w26.xor(w27);
        out(1, w28);
    }

    /// S5, 48 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s5<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w6 = w0.and(w3);
        let w8 = w2.or(w0);
        let w10 = w2.xor(w6);
        let w20 = w0.xor(w10);
        let w12 = w3.xor(w8);
        let w25 = w20.or(w3);
        let w17 = w4.xor(w12);
        let w7 = w4.or(w6);
        let w13 = w7.and_not(w12);
        let w14 = w10.xor(w13);
        let w18 = w14.xor(w17);
        let w9 = w7.xor(w8);
        let w11 = w9.xor(w10);
        let w21 = w8.and_not(w18);
        let w22 = w20.xor(w21);
        let w23 = w20.and_not(w18);
        let w48 = w8.and(w12);
        let w24 = w1.xor(w23);
        let w26 = w24.and(w25);
        let w27 = w9.xor(w26);
        let w49 = w24.and(w48);
        let w15 = w4.and_not(w14);
        let w16 = w15.or(w1);
        let w19 = w16.xor(w18);
        let w28 = w16.and_not(w27);
        let w29 = w22.or(w28);
        let w34 = w29.and_not(w6);
        let w30 = w29.and_not(w14);
        let w35 = w14.and_not(w34);
        let w36 = w28.xor(w35);
        let w31 = w19.or(w30);
        let w32 = w11.and(w31);
        let w41 = w5.and(w34);
        let w42 = w19.xor(w41);
        out(2, w42);
        let w50 = w5.and_not(w49);
        let w33 = w5.or(w32);
        let w37 = w33.xor(w36);
        out(3, w37);
        let w51 = w27.xor(w50);
        out(1, w51);
        let w38 = w0.and_not(w37);
        let w39 = w37.and_not(w1);
        let w40 = w38.xor(w39);
        let w43 = w12.xor(w42);
        let w47 = w40.xor(w42);
        let w44 = w40.and(w43);
        let w52 = w47.xor(w51);
        let w45 = w37.xor(w44);
        let w46 = w4.and_not(w45);
        let w53 = w46.xor(w52);
        out(0, w53);
    }

    /// S6, 51 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s6<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w6 = w1.or(w2);
        let w10 = w1.xor(w5);
        let w7 = w1.and(w5);
        let w8 = w2.xor(w7);
        let w9 = w1.xor(w8);
        let w11 = w10.and(w6);
        let w12 = w11.or(w0);
        let w13 = w9.xor(w12);
        let w14 = w13.or(w8);
        let w17 = w0.xor(w10);
        let w15 = w14.and_not(w2);
        let w18 = w7.or(w17);
        let w24 = w3.and_not(w10);
        let w35 = w3.xor(w17);
        let w19 = w3.and(w18);
        let w20 = w13.xor(w19);
        let w30 = w12.and(w20);
        let w31 = w7.xor(w30);
        let w22 = w3.or(w18);
        let w23 = w14.xor(w22);
        let w25 = w23.xor(w24);
        let w40 = w25.and_not(w30);
        let w26 = w15.or(w25);
        let w27 = w1.or(w26);
        let w48 = w22.xor(w26);
        let w49 = w0.and(w48);
        let w46 = w4.and_not(w23);
        let w47 = w20.xor(w46);
        out(2, w47);
        let w16 = w6.and_not(w15);
        let w21 = w16.and(w20);
        let w32 = w15.xor(w31);
        let w33 = w0.and(w32);
        let w42 = w24.and(w32);
        let w34 = w6.or(w33);
        let w50 = w9.xor(w33);
        let w28 = w21.xor(w27);
        let w29 = w4.and(w28);
        let w51 = w50.or(w42);
        let w43 = w4.or(w42);
        let w36 = w34.xor(w35);
        let w37 = w29.xor(w36);
        out(0, w37);
        let w38 = w21.xor(w37);
        let w39 = w3.or(w38);
        let w52 = w51.xor(w38);
        let w41 = w39.or(w40);
        let w53 = w4.and(w52);
        let w54 = w49.xor(w53);
        let w44 = w41.xor(w43);
        let w45 = w31.xor(w44);
        out(1, w45);
        let w55 = w35.and(w41);
        let w56 = w54.xor(w55);
        out(3, w56);
    }

    /// S7, 50 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s7<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w10 = w3.xor(w5);
        let w33 = w5.and(w10);
        let w11 = w10.xor(w4);
        let w26 = w1.and(w4);
        let w6 = w5.and_not(w1);
        let w7 = w3.and_not(w4);
        let w8 = w7.xor(w1);
        let w15 = w3.and(w1);
        let w9 = w6.xor(w8);
        let w12 = w9.xor(w11);
        let w14 = w2.xor(w9);
        let w16 = w14.xor(w15);
        let w28 = w14.or(w15);
        let w29 = w28.and_not(w5);
        let w19 = w8.or(w14);
        let w20 = w12.xor(w19);
        let w22 = w5.and_not(w8);
        let w13 = w2.or(w5);
        let w17 = w13.and_not(w16);
        let w18 = w12.xor(w17);
        let w37 = w3.or(w18);
        let w38 = w20.xor(w37);
        let w35 = w0.xor(w6);
        let w21 = w0.xor(w20);
        let w23 = w22.and_not(w0);
        let w24 = w21.and_not(w23);
        let w55 = w2.xor(w24);
        out(3, w55);
        let w25 = w16.xor(w24);
        let w27 = w25.or(w26);
        let w30 = w27.xor(w29);
        let w43 = w22.or(w30);
        let w31 = w30.and_not(w0);
        let w39 = w0.or(w38);
        let w46 = w11.and(w39);
        let w47 = w27.xor(w46);
        let w48 = w47.and_not(w5);
        let w49 = w25.and_not(w31);
        let w50 = w48.xor(w49);
        let w51 = w4.and(w50);
        let w40 = w18.xor(w38);
        let w41 = w39.xor(w40);
        let w32 = w18.xor(w31);
        out(0, w32);
        let w44 = w32.xor(w43);
        let w45 = w39.xor(w44);
        let w52 = w45.xor(w51);
        let w34 = w31.or(w33);
        let w36 = w34.and(w35);
        let w42 = w36.xor(w41);
        out(1, w42);
        let w53 = w33.and_not(w42);
        let w54 = w52.xor(w53);
        out(2, w54);
    }

    /// S8, 40 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s8<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], mut out: impl FnMut(usize, W)) {
        let w6 = w3.and(w4);
        let w7 = w6.or(w0);
        let w8 = w2.xor(w7);
        let w9 = w4.and(w8);
        let w10 = w3.xor(w9);
        let w20 = w2.xor(w10);
        let w21 = w0.and(w20);
        let w11 = w0.and(w10);
        let w12 = w1.or(w11);
        let w13 = w0.or(w8);
        let w14 = w13.and_not(w1);
        let w15 = w10.xor(w14);
        let w30 = w7.xor(w14);
        let w25 = w1.xor(w10);
        let w26 = w10.and(w25);
        let w38 = w0.xor(w25);
        let w16 = w15.or(w4);
        let w19 = w4.xor(w15);
        let w17 = w12.and(w16);
        let w22 = w12.and(w21);
        let w33 = w0.or(w17);
        let w18 = w8.xor(w17);
        let w31 = w18.and_not(w2);
        let w32 = w5.xor(w31);
        let w34 = w32.and(w33);
        let w23 = w5.or(w22);
        let w24 = w19.xor(w23);
        out(1, w24);
        let w27 = w24.or(w26);
        let w28 = w17.xor(w27);
        let w29 = w21.xor(w23);
        let w35 = w30.xor(w34);
        let w36 = w29.and(w35);
        let w37 = w28.and_not(w36);
        let w39 = w21.or(w28);
        let w40 = w34.and(w39);
        let w41 = w38.xor(w40);
        out(2, w41);
        let w42 = w37.xor(w41);
        let w43 = w5.or(w42);
        let w44 = w18.xor(w43);
        out(0, w44);
        let w45 = w42.xor(w44);
        out(3, w45);
    }

    /// Input bits of S1 to S8 that are to be handed over inverted, the first input bit at the top of six. Bits that two boxes share agree.
    pub(in crate::bulk) const INVERTED_INPUTS: [u8; 8] = [37, 26, 46, 37, 19, 59, 56, 6];

    /// Output bits of S1 to S8 that come out inverted then, the first output bit at the top of four.
    pub(in crate::bulk) const INVERTED_OUTPUTS: [u8; 8] = [8, 0, 0, 0, 0, 0, 0, 4];
}

/// Three-input gates; the outputs are XORed onto `l`, some as the XOR of two gates.
pub(super) mod lut3_pair {
    use crate::bulk::word::Word;

    /// S1, 26 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s1<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0x78>(w5, w1, w4);
        let w7 = W::lut::<0x93>(w6, w2, w3);
        let w8 = W::lut::<0x89>(w5, w3, w2);
        let w9 = W::lut::<0x72>(w8, w6, w4);
        let w10 = W::lut::<0x6C>(w0, w7, w9);
        let w11 = W::lut::<0x63>(w7, w4, w8);
        let w12 = W::lut::<0x71>(w11, w10, w3);
        let w13 = W::lut::<0xCA>(w1, w10, w12);
        let w14 = W::lut::<0x34>(w6, w8, w11);
        let w15 = W::lut::<0x61>(w11, w0, w3);
        let w16 = W::lut::<0xC6>(w1, w14, w15);
        let w17 = W::lut::<0xD7>(w3, w13, w16);
        let w18 = W::lut::<0xC6>(w15, w1, w7);
        let w19 = W::lut::<0xCA>(w0, w17, w18);
        let w20 = W::lut::<0xCA>(w2, w16, w19);
        let w21 = W::lut::<0x61>(w4, w3, w7);
        let w22 = W::lut::<0xA6>(w21, w19, w1);
        let w23 = W::lut::<0x96>(w1, w16, w21);
        let w24 = W::lut::<0xE3>(w8, w12, w13);
        let w25 = W::lut::<0xAC>(w3, w23, w24);
        let w26 = W::lut::<0xCA>(w0, w22, w25);
        let w27 = W::lut::<0x4E>(w14, w18, w4);
        let w28 = W::lut::<0x39>(w27, w7, w13);
        let w29 = W::lut::<0xB0>(w26, w27, w8);
        let w30 = W::lut::<0x6B>(w29, w21, w20);
        let w31 = W::lut::<0x6C>(w0, w28, w30);
        [l[0].xor(w20), l[1].xor3(w26, w11), l[2].xor3(w13, w0), l[3].xor3(w31, w3)]
    }

    /// S2, 23 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s2<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0xBC>(w4, w5, w0);
        let w7 = W::lut::<0x9C>(w0, w4, w5);
        let w8 = W::lut::<0xCA>(w2, w6, w7);
        let w9 = W::lut::<0xB1>(w7, w6, w2);
        let w10 = W::lut::<0x56>(w9, w0, w8);
        let w11 = W::lut::<0xCA>(w1, w8, w10);
        let w12 = W::lut::<0xEC>(w4, w1, w7);
        let w13 = W::lut::<0xC6>(w3, w11, w12);
        let w14 = W::lut::<0x68>(w7, w13, w0);
        let w15 = W::lut::<0xD6>(w14, w9, w4);
        let w16 = W::lut::<0x7D>(w10, w13, w6);
        let w17 = W::lut::<0xA7>(w16, w14, w0);
        let w18 = W::lut::<0xC6>(w1, w15, w17);
        let w19 = W::lut::<0xF9>(w18, w8, w16);
        let w20 = W::lut::<0x69>(w19, w3, w13);
        let w21 = W::lut::<0x3D>(w11, w1, w5);
        let w22 = W::lut::<0x69>(w21, w16, w9);
        let w23 = W::lut::<0x6C>(w4, w20, w22);
        let w24 = W::lut::<0x6E>(w20, w10, w4);
        let w25 = W::lut::<0x7C>(w24, w18, w3);
        let w26 = W::lut::<0x83>(w3, w5, w25);
        let w27 = W::lut::<0xF9>(w26, w4, w17);
        let w28 = W::lut::<0xC6>(w1, w25, w27);
        [l[0].xor(w13), l[1].xor3(w23, w12), l[2].xor3(w28, w9), l[3].xor3(w18, w3)]
    }

    /// S3, 23 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s3<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0x8D>(w3, w2, w4);
        let w7 = W::lut::<0x69>(w6, w5, w1);
        let w8 = W::lut::<0xDC>(w5, w3, w2);
        let w9 = W::lut::<0x2D>(w8, w7, w4);
        let w10 = W::lut::<0x63>(w8, w2, w5);
        let w11 = W::lut::<0xCA>(w1, w9, w10);
        let w12 = W::lut::<0xAC>(w0, w7, w11);
        let w13 = W::lut::<0x34>(w7, w3, w5);
        let w14 = W::lut::<0x69>(w13, w2, w4);
        let w15 = W::lut::<0x6D>(w5, w3, w14);
        let w16 = W::lut::<0xBE>(w15, w11, w2);
        let w17 = W::lut::<0xC6>(w0, w14, w16);
        let w18 = W::lut::<0x26>(w7, w16, w3);
        let w19 = W::lut::<0x63>(w2, w5, w13);
        let w20 = W::lut::<0xC6>(w1, w18, w19);
        let w21 = W::lut::<0x86>(w7, w1, w11);
        let w22 = W::lut::<0xE1>(w21, w9, w17);
        let w23 = W::lut::<0xCA>(w0, w20, w22);
        let w24 = W::lut::<0xE9>(w5, w3, w12);
        let w25 = W::lut::<0x9E>(w24, w4, w7);
        let w26 = W::lut::<0x01>(w25, w14, w12);
        let w27 = W::lut::<0x49>(w26, w23, w16);
        let w28 = W::lut::<0xCA>(w2, w25, w27);
        [l[0].xor3(w28, w17), l[1].xor(w17), l[2].xor3(w23, w15), l[3].xor3(w12, w4)]
    }

    /// S4, 16 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s4<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0x39>(w2, w3, w4);
        let w7 = W::lut::<0xD9>(w6, w2, w4);
        let w8 = W::lut::<0xAC>(w0, w6, w7);
        let w9 = W::lut::<0x67>(w0, w3, w7);
        let w10 = W::lut::<0xBC>(w9, w8, w2);
        let w11 = W::lut::<0x6C>(w1, w8, w10);
        let w12 = W::lut::<0xB9>(w10, w1, w8);
        let w13 = W::lut::<0x96>(w12, w4, w9);
        let w14 = W::lut::<0xCA>(w5, w11, w13);
        let w15 = W::lut::<0xD1>(w13, w5, w11);
        let w16 = W::lut::<0x42>(w0, w11, w2);
        let w17 = W::lut::<0x93>(w16, w7, w12);
        let w18 = W::lut::<0x17>(w4, w0, w16);
        let w19 = W::lut::<0x5C>(w18, w12, w10);
        let w20 = W::lut::<0xAC>(w5, w17, w19);
        let w21 = W::lut::<0x96>(w17, w19, w20);
        [l[0].xor3(w15, w0), l[1].xor3(w14, w0), l[2].xor3(w20, w14), l[3].xor3(w21, w15)]
    }

    /// S5, 25 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s5<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0xB6>(w4, w2, w0);
        let w7 = W::lut::<0x69>(w6, w1, w5);
        let w8 = W::lut::<0xC6>(w7, w4, w2);
        let w9 = W::lut::<0x93>(w8, w1, w0);
        let w10 = W::lut::<0x5C>(w7, w0, w2);
        let w11 = W::lut::<0xA7>(w10, w5, w6);
        let w12 = W::lut::<0xAC>(w5, w9, w11);
        let w13 = W::lut::<0xC6>(w3, w7, w12);
        let w14 = W::lut::<0x41>(w13, w0, w4);
        let w15 = W::lut::<0x0E>(w14, w1, w8);
        let w16 = W::lut::<0xC1>(w15, w6, w7);
        let w17 = W::lut::<0xAC>(w2, w14, w16);
        let w18 = W::lut::<0xDA>(w2, w12, w5);
        let w19 = W::lut::<0x7E>(w18, w6, w9);
        let w20 = W::lut::<0xAC>(w3, w17, w19);
        let w21 = W::lut::<0x4D>(w18, w0, w16);
        let w22 = W::lut::<0x5B>(w21, w1, w3);
        let w23 = W::lut::<0x89>(w11, w3, w15);
        let w24 = W::lut::<0x5E>(w23, w21, w9);
        let w25 = W::lut::<0xC6>(w2, w22, w24);
        let w26 = W::lut::<0x34>(w25, w10, w4);
        let w27 = W::lut::<0x1A>(w26, w13, w21);
        let w28 = W::lut::<0xAC>(w22, w13, w17);
        let w29 = W::lut::<0x86>(w28, w9, w0);
        let w30 = W::lut::<0xC6>(w5, w27, w29);
        [l[0].xor3(w20, w12), l[1].xor(w13), l[2].xor3(w30, w24), l[3].xor3(w25, w7)]
    }

    /// S6, 24 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s6<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0x96>(w5, w0, w3);
        let w7 = W::lut::<0x4E>(w5, w1, w0);
        let w8 = W::lut::<0xC6>(w2, w6, w7);
        let w9 = W::lut::<0xE2>(w5, w6, w1);
        let w10 = W::lut::<0x16>(w9, w3, w0);
        let w11 = W::lut::<0xDF>(w0, w5, w1);
        let w12 = W::lut::<0x6C>(w2, w10, w11);
        let w13 = W::lut::<0xAC>(w4, w8, w12);
        let w14 = W::lut::<0x4B>(w6, w12, w0);
        let w15 = W::lut::<0xF9>(w8, w9, w0);
        let w16 = W::lut::<0x6C>(w1, w14, w15);
        let w17 = W::lut::<0xEA>(w12, w5, w0);
        let w18 = W::lut::<0x97>(w17, w3, w2);
        let w19 = W::lut::<0xC6>(w4, w16, w18);
        let w20 = W::lut::<0x69>(w6, w1, w18);
        let w21 = W::lut::<0x47>(w20, w2, w5);
        let w22 = W::lut::<0x3E>(w1, w20, w5);
        let w23 = W::lut::<0x94>(w22, w12, w21);
        let w24 = W::lut::<0xCA>(w4, w21, w23);
        let w25 = W::lut::<0x91>(w12, w22, w7);
        let w26 = W::lut::<0x84>(w25, w3, w14);
        let w27 = W::lut::<0x63>(w8, w19, w25);
        let w28 = W::lut::<0x7B>(w27, w11, w20);
        let w29 = W::lut::<0xCA>(w4, w26, w28);
        [l[0].xor3(w24, w18), l[1].xor3(w29, w20), l[2].xor3(w13, w1), l[3].xor(w19)]
    }

    /// S7, 23 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s7<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0x9D>(w2, w3, w4);
        let w7 = W::lut::<0xBA>(w6, w3, w4);
        let w8 = W::lut::<0x6C>(w5, w6, w7);
        let w9 = W::lut::<0x17>(w6, w8, w2);
        let w10 = W::lut::<0xAC>(w0, w8, w9);
        let w11 = W::lut::<0x96>(w5, w0, w6);
        let w12 = W::lut::<0xD3>(w11, w2, w10);
        let w13 = W::lut::<0xCA>(w1, w10, w12);
        let w14 = W::lut::<0xC9>(w9, w4, w0);
        let w15 = W::lut::<0xCB>(w14, w1, w3);
        let w16 = W::lut::<0x29>(w4, w13, w1);
        let w17 = W::lut::<0x68>(w16, w0, w3);
        let w18 = W::lut::<0xC6>(w5, w15, w17);
        let w19 = W::lut::<0x43>(w7, w2, w5);
        let w20 = W::lut::<0xC2>(w19, w1, w3);
        let w21 = W::lut::<0x8B>(w18, w19, w15);
        let w22 = W::lut::<0x69>(w21, w16, w20);
        let w23 = W::lut::<0xAC>(w0, w20, w22);
        let w24 = W::lut::<0xA7>(w23, w7, w3);
        let w25 = W::lut::<0xE9>(w24, w5, w13);
        let w26 = W::lut::<0x98>(w11, w1, w25);
        let w27 = W::lut::<0x72>(w26, w10, w23);
        let w28 = W::lut::<0xCA>(w2, w25, w27);
        [l[0].xor3(w23, w12), l[1].xor3(w28, w18), l[2].xor3(w18, w12), l[3].xor(w13)]
    }

    /// S8, 22 gates.
    #[inline(always)]
    pub(in crate::bulk) fn s8<W: Word>([w0, w1, w2, w3, w4, w5]: [W; 6], l: [W; 4]) -> [W; 4] {
        let w6 = W::lut::<0x1D>(w1, w2, w4);
        let w7 = W::lut::<0x36>(w2, w4, w1);
        let w8 = W::lut::<0x6C>(w0, w6, w7);
        let w9 = W::lut::<0xDF>(w7, w0, w1);
        let w10 = W::lut::<0xC6>(w3, w8, w9);
        let w11 = W::lut::<0x29>(w6, w2, w3);
        let w12 = W::lut::<0x95>(w11, w0, w10);
        let w13 = W::lut::<0xCA>(w5, w10, w12);
        let w14 = W::lut::<0x84>(w1, w8, w4);
        let w15 = W::lut::<0x49>(w14, w0, w10);
        let w16 = W::lut::<0xD9>(w4, w15, w1);
        let w17 = W::lut::<0xA9>(w16, w11, w0);
        let w18 = W::lut::<0x6C>(w5, w15, w17);
        let w19 = W::lut::<0x9C>(w1, w7, w11);
        let w20 = W::lut::<0xD2>(w19, w15, w4);
        let w21 = W::lut::<0x01>(w11, w17, w1);
        let w22 = W::lut::<0x1E>(w21, w19, w0);
        let w23 = W::lut::<0xCA>(w5, w20, w22);
        let w24 = W::lut::<0x69>(w20, w10, w11);
        let w25 = W::lut::<0x29>(w7, w24, w3);
        let w26 = W::lut::<0x69>(w25, w6, w0);
        let w27 = W::lut::<0x6C>(w5, w24, w26);
        [l[0].xor3(w23, w10), l[1].xor(w13), l[2].xor3(w18, w7), l[3].xor3(w27, w11)]
    }
}
