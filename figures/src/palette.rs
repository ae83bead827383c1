//! The colours of the report page in light (page/assets/css/base.css): the hue is the branch of a team, the lightness the
//! leaf.

use plotters::style::RGBColor;
use quotree_page::colours::Colour;

pub(crate) const PAPER: RGBColor = rgb(0xff_ff_ff);
pub(crate) const TEXT: RGBColor = rgb(0x17_20_2e);
pub(crate) const SOFT: RGBColor = rgb(0x59_65_79);
pub(crate) const LINE: RGBColor = rgb(0xe2_e6_ec);
pub(crate) const STRONG: RGBColor = rgb(0xcb_d2_dc);
pub(crate) const ACCENT: RGBColor = rgb(0x1a_5f_cc);
pub(crate) const GOOD: RGBColor = rgb(0x17_73_4a);
pub(crate) const BAD: RGBColor = rgb(0xb3_26_1e);
pub(crate) const SLATE: RGBColor = rgb(0x5a_6f_8c);

/// Six teams and slate, each in four lightnesses as the page mixes them.
const TEAMS: [[u32; 4]; 7] = [
    [0x1f_77_c9, 0x66_9e_da, 0x21_63_a4, 0x99_be_e8],
    [0x0a_7a_5a, 0x61_9e_85, 0x16_65_51, 0x96_be_ac],
    [0xc2_6a_00, 0xd6_94_60, 0x9a_5a_24, 0xe5_b8_96],
    [0xa4_50_8b, 0xc0_81_ab, 0x83_46_75, 0xd6_aa_c6],
    [0x3a_2a_86, 0x69_66_aa, 0x32_29_72, 0x97_97_c7],
    [0x6f_5f_22, 0x95_8a_60, 0x5a_51_2a, 0xb7_af_94],
    [0x5a_6f_8c, 0x85_95_ab, 0x4a_5c_76, 0xac_b8_c7],
];

const fn rgb(hex: u32) -> RGBColor {
    let [_, r, g, b] = hex.to_be_bytes();
    RGBColor(r, g, b)
}

/// The colour of a quota.
pub(crate) fn of(colour: Colour) -> RGBColor {
    let place = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let hue = TEAMS.get(place(colour.team)).or(TEAMS.last());
    hue.and_then(|shades| shades.get(place(colour.shade))).map_or(SLATE, |hex| rgb(*hex))
}

/// Text on a filled area: white on dark ones, else dark.
pub(crate) fn on(colour: RGBColor) -> RGBColor {
    let RGBColor(r, g, b) = colour;
    let light = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
    if light < 150_000 { PAPER } else { TEXT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_page() {
        let style = include_str!("../../page/assets/css/base.css");
        let value = |name: &str| style.split_once(&format!("--{name}: #")).unwrap().1.get(..6).unwrap();
        let hex = |colour: RGBColor| format!("{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2);
        for (team, shades) in TEAMS.iter().take(6).enumerate() {
            assert_eq!(hex(rgb(shades[0])), value(&format!("team-{team}")));
        }
        for (name, colour) in [
            ("text", TEXT),
            ("soft", SOFT),
            ("line", LINE),
            ("strong", STRONG),
            ("accent", ACCENT),
            ("good", GOOD),
            ("bad", BAD),
            ("slate", SLATE),
        ] {
            assert_eq!(hex(colour), value(name), "{name}");
        }
    }
}
