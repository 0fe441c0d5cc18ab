//! The mean of the squares less the square of the mean: right on paper, noise in floats.
//!
//! test: behaviour::a_small_spread_far_from_zero_is_seen
//! verdict: the digits were lost
//>> moments_add
        let squares = self.squares + float(self.count) * self.mean * self.mean + value * value;
        let sum = float(self.count) * self.mean + value;
        self.count += 1;
        self.mean = sum / float(self.count);
        self.squares = squares - sum * self.mean;
//<<
