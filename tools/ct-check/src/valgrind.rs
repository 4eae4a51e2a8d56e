//! Client requests: how a program speaks to the Valgrind that runs it. Without Valgrind they do nothing.
//!
//! The manual (Valgrind core, "The Client Request mechanism") gives the requests, `valgrind.h` the instructions that
//! carry them on x86-64.

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
/// Memcheck's own requests start at its two letters.
const MAKE_MEM_UNDEFINED: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16 | 1;

fn request(code: usize, first: usize, second: usize) -> usize {
    let arguments = [code, first, second, 0, 0, 0];
    let answer;
    // SAFETY: the rotations add up to whole turns and the exchange is of a register with itself: alone they change
    // nothing but the flags. Valgrind reads the six words and answers in `rdx`.
    #[allow(unsafe_code, reason = "the requests are a sequence of instructions")]
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inlateout("rdx") 0_usize => answer,
        );
    }
    answer
}

/// Whether Valgrind runs this program.
pub fn is_running() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) != 0
}

/// How many errors were reported so far.
pub fn errors() -> usize {
    request(COUNT_ERRORS, 0, 0)
}

/// Has Memcheck report every branch and every address that depends on `bytes` from now on.
pub fn mark_secret(bytes: &mut [u8]) {
    request(MAKE_MEM_UNDEFINED, bytes.as_mut_ptr() as usize, bytes.len());
}
