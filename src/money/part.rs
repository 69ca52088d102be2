//! Parts of a line, for captures and refunds of some of what was ordered.
//!
//! A part is the difference of two shares: what the line makes up to the end of the part, less what it makes up to its
//! beginning, each rounded to a minor unit. So the parts of a line always make the line, however it is cut and whenever.

use crate::types::{Decimal, OrderItem};

/// Why a line has no such part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The line has no amount.
    #[error("the line has no amount")]
    NoAmount,
    /// The line has no quantity, or one of zero or less.
    #[error("the line has no quantity above zero")]
    NoQuantity,
    /// The part is nothing, begins before the line, or ends after it.
    #[error("the part is not within the line")]
    Outside,
    /// The line is split among payout destinations. How much of each is in a part, only the merchant knows.
    #[error("the line is split among payout destinations: state the splits of the part by hand")]
    Split,
    /// The numbers are too large to compute with.
    #[error("the numbers of the line are too large")]
    Overflow,
}

impl OrderItem {
    /// Returns a part of the line by quantity, to be captured or refunded: `taken` of it went before, and `quantity` is
    /// in this part. Amount, gross amount and VAT are in proportion.
    ///
    /// The parts from 0 to the whole quantity always sum to the line, to the minor unit: 100 in three parts of one is
    /// 33, 34 and 33. All is computed in integers, and half a unit is rounded away from zero.
    ///
    /// ```
    /// use dintero::types::{CaptureRequest, OrderItem};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let chairs = OrderItem::new().line_id("1").quantity(3).amount(100).vat(25).vat_amount(20);
    /// // One chair is sent today, the others follow.
    /// let first = CaptureRequest::from_lines([chairs.part(0, 1)?])?;
    /// let rest = CaptureRequest::from_lines([chairs.part(1, 2)?])?;
    /// assert_eq!((first.amount, rest.amount), (33, 67));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The part has the ids, the description and the VAT rate of the line, and nothing else of it.
    ///
    /// # Errors
    /// Says why there is no such part.
    pub fn part(&self, taken: impl Into<Decimal>, quantity: impl Into<Decimal>) -> Result<Self, PartError> {
        let (taken, quantity): (Decimal, Decimal) = (taken.into(), quantity.into());
        let whole = self.quantity.filter(|whole| whole.get() > 0.into()).ok_or(PartError::NoQuantity)?;
        // In whole numbers of the smallest decimal place that any of them has.
        let places = [whole, taken, quantity].map(|number| number.scale()).into_iter().max().unwrap_or_default();
        let units = |number: Decimal| {
            let factor = 10_i128.checked_pow(places.checked_sub(number.scale())?)?;
            number.mantissa().checked_mul(factor)
        };
        let units = |number| units(number).ok_or(PartError::Overflow);
        let cut = Cut::new(units(taken)?, units(quantity)?, units(whole)?)?;
        Ok(Self { quantity: Some(quantity), ..self.cut(&cut)? })
    }

    /// Returns a part of the line by amount, in minor units: `taken` of it went before, and `amount` is in this part.
    /// VAT and gross amount are in proportion, as in [`part`](Self::part). The part has no quantity: set one where the
    /// payment product asks for it.
    ///
    /// # Errors
    /// Says why there is no such part.
    pub fn part_of_amount(&self, taken: i64, amount: i64) -> Result<Self, PartError> {
        let whole = self.amount.ok_or(PartError::NoAmount)?;
        // Of a discount or a gift card, the amounts are below zero.
        let sign = i128::from(whole.signum());
        let cut = Cut::new(sign * i128::from(taken), sign * i128::from(amount), sign * i128::from(whole))?;
        self.cut(&cut)
    }

    fn cut(&self, cut: &Cut) -> Result<Self, PartError> {
        if !self.splits.is_empty() {
            return Err(PartError::Split);
        }
        let of = |sum: Option<i64>| sum.map(|sum| cut.of(sum)).transpose();
        Ok(Self {
            id: self.id.clone(),
            line_id: self.line_id.clone(),
            description: self.description.clone(),
            vat: self.vat,
            amount: Some(cut.of(self.amount.ok_or(PartError::NoAmount)?)?),
            vat_amount: of(self.vat_amount)?,
            gross_amount: of(self.gross_amount)?,
            ..Self::default()
        })
    }
}

/// From where to where a part goes, of how much.
struct Cut {
    start: i128,
    end: i128,
    whole: i128,
}

impl Cut {
    fn new(taken: i128, part: i128, whole: i128) -> Result<Self, PartError> {
        let end = taken.checked_add(part).ok_or(PartError::Overflow)?;
        let is_within = taken >= 0 && part > 0 && end <= whole;
        if is_within { Ok(Self { start: taken, end, whole }) } else { Err(PartError::Outside) }
    }

    fn of(&self, sum: i64) -> Result<i64, PartError> {
        let share = |place: i128| self.share(i128::from(sum), place);
        let part = share(self.end).zip(share(self.start)).map(|(end, start)| end - start);
        part.and_then(|part| i64::try_from(part).ok()).ok_or(PartError::Overflow)
    }

    /// What a sum makes up to a place, half a unit rounded away from zero.
    fn share(&self, sum: i128, place: i128) -> Option<i128> {
        let doubled = sum.checked_mul(place)?.checked_mul(2)?;
        doubled.checked_add(self.whole.checked_mul(sum.signum())?)?.checked_div(self.whole.checked_mul(2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PayoutSplit;

    fn line(quantity: Decimal, amount: i64, vat: i64) -> OrderItem {
        OrderItem::new().line_id("1").quantity(quantity).amount(amount).vat_amount(vat)
    }

    fn decimal(mantissa: i64, places: u32) -> Decimal {
        rust_decimal::Decimal::new(mantissa, places).into()
    }

    /// Any line, cut anywhere, by quantity or by amount: nothing is lost, nothing is made, and no part is more than a
    /// minor unit from its exact share.
    #[test]
    fn the_parts_of_a_line_are_the_line() {
        let mut random = fastrand::Rng::with_seed(2026);
        for _ in 0..20_000 {
            let places = random.u32(0..=4);
            let whole = random.i64(1..=40_000);
            let amount = random.i64(-2_000_000_000..=2_000_000_000);
            let line = line(decimal(whole, places), amount, random.i64(-500_000_000..=500_000_000))
                .gross_amount(random.i64(-2_000_000_000..=2_000_000_000));
            let (mut taken, mut sums, mut quantity) = (0, [0; 3], rust_decimal::Decimal::ZERO);
            while taken < whole {
                let next = random.i64(1..=whole - taken);
                let part = line.part(decimal(taken, places), decimal(next, places)).unwrap();
                let exact = i128::from(amount) * i128::from(next);
                let off = i128::from(part.amount.unwrap()) * i128::from(whole) - exact;
                assert!(off.abs() <= i128::from(whole), "{line:?} from {taken}: {next} is {part:?}");
                let own = [part.amount, part.vat_amount, part.gross_amount].map(Option::unwrap);
                sums = std::array::from_fn(|at| sums[at] + own[at]);
                quantity += part.quantity.unwrap().get();
                taken += next;
            }
            assert_eq!(Some(quantity), line.quantity.map(Decimal::get));
            assert_eq!(sums.map(Some), [line.amount, line.vat_amount, line.gross_amount]);

            let (mut taken, mut vat) = (0, 0);
            while taken != amount {
                let next = (amount - taken).signum() * random.i64(1..=(amount - taken).abs());
                let part = line.part_of_amount(taken, next).unwrap();
                assert_eq!((part.amount, part.quantity), (Some(next), None));
                vat += part.vat_amount.unwrap();
                taken += next;
            }
            assert!(amount == 0 || Some(vat) == line.vat_amount);
        }
    }

    #[test]
    fn a_part_is_rounded_to_the_minor_unit() {
        let amounts = |amount, count: i64| {
            let line = line(count.into(), amount, 0);
            (0..count).map(|taken| line.part(taken, 1).unwrap().amount.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(amounts(100, 3), [33, 34, 33]);
        assert_eq!(amounts(-100, 3), [-33, -34, -33]);
        assert_eq!(amounts(1, 2), [1, 0]);
        assert_eq!(amounts(0, 2), [0, 0]);
        let kilos = line(decimal(15, 1), 10_000, 2_000);
        let part = kilos.part(0, decimal(25, 2)).unwrap();
        assert_eq!((part.amount, part.vat_amount), (Some(1_667), Some(333)));
        assert_eq!(part.line_id.as_deref(), Some("1"));
        let named = line(2.into(), 100, 20).id("chair").description("A chair").vat(25);
        let half = line(1.into(), 50, 10).id("chair").description("A chair").vat(25);
        assert_eq!(named.part(1, 1), Ok(half));
    }

    #[test]
    fn what_is_no_part_is_refused() {
        let line = line(3.into(), 100, 20);
        for (taken, quantity) in [(0, 0), (-1, 1), (0, 4), (3, 1), (2, 2), (1, -1)] {
            assert_eq!(line.part(taken, quantity), Err(PartError::Outside), "{taken} {quantity}");
        }
        for (taken, amount) in [(0, 0), (-1, 1), (0, 101), (100, 1), (0, -1), (i64::MAX, i64::MAX)] {
            assert_eq!(line.part_of_amount(taken, amount), Err(PartError::Outside), "{taken} {amount}");
        }
        assert_eq!(OrderItem::new().amount(1).part(0, 1), Err(PartError::NoQuantity));
        assert_eq!(OrderItem::new().amount(1).quantity(0).part(0, 1), Err(PartError::NoQuantity));
        assert_eq!(OrderItem::new().quantity(1).part(0, 1), Err(PartError::NoAmount));
        assert_eq!(OrderItem::new().part_of_amount(0, 1), Err(PartError::NoAmount));
        let fine = decimal(1, 28);
        assert_eq!(self::line(i64::MAX.into(), 1, 1).part(0, fine), Err(PartError::Overflow));
        let split = line.splits([PayoutSplit::new("P1", 100)]);
        assert_eq!(split.part(0, 1), Err(PartError::Split));
    }
}
