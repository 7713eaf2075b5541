//! Numbers as header values.

use http::HeaderValue;

const BELOW: usize = 1_000;

/// `000001002…999`.
const DIGITS: &str = {
    const DIGITS: [u8; 3 * BELOW] = {
        let mut digits = [b'0'; 3 * BELOW];
        let mut number = 0;
        while number < BELOW {
            digits[3 * number] += (number / 100) as u8;
            digits[3 * number + 1] += (number / 10 % 10) as u8;
            digits[3 * number + 2] += (number % 10) as u8;
            number += 1;
        }
        digits
    };
    match std::str::from_utf8(&DIGITS) {
        Ok(digits) => digits,
        Err(_) => unreachable!(),
    }
};

/// A number as a header value. The small ones, which most are, are not allocated.
pub(super) fn header_value(number: u64) -> HeaderValue {
    let leading = match number {
        0..10 => 2,
        10..100 => 1,
        100..1_000 => 0,
        _ => return HeaderValue::from(number),
    };
    let at = 3 * number as usize;
    HeaderValue::from_static(&DIGITS[at + leading..at + 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_should() {
        for number in (0..1_100).chain([u64::MAX]) {
            assert_eq!(header_value(number), number.to_string());
        }
    }
}
