// The emoji names that bots and people use here, as characters.

const NAMES = `
red_circle🔴 large_orange_circle🟠 large_yellow_circle🟡 large_green_circle🟢 large_blue_circle🔵 large_purple_circle🟣
white_circle⚪ black_circle⚫ large_red_square🟥 large_blue_square🟦 large_green_square🟩 zzz💤 sleeping😴
white_check_mark✅ heavy_check_mark✔️ ballot_box_with_check☑️ x❌ negative_squared_cross_mark❎ warning⚠️ no_entry⛔
no_entry_sign🚫 bangbang‼️ exclamation❗ question❓ grey_question❔ information_source ℹ️ rotating_light🚨
alarm_clock⏰ stopwatch⏱️ timer_clock⏲️ hourglass⌛ hourglass_flowing_sand⏳ clock1🕐 clock3🕒 calendar📆
spiral_calendar_pad🗓️ date📅 memo📝 pencil✏️ pencil2✏️ clipboard📋 page_facing_up📄 bookmark_tabs📑 ledger📒 notebook📓
books📚 file_folder📁 open_file_folder📂 card_index_dividers🗂️ file_cabinet🗄️ paperclip📎 link🔗 pushpin📌
round_pushpin📍 scroll📜 test_tube🧪 microscope🔬 mag🔍 mag_right🔎 bar_chart📊 chart_with_upwards_trend📈
chart_with_downwards_trend📉 lock🔒 unlock🔓 key🔑 old_key🗝️ shield🛡️ closed_lock_with_key🔐 bell🔔 no_bell🔕 mega📣
loudspeaker📢 speech_balloon💬 thought_balloon💭 eyes👀 wave👋 raised_hands🙌 pray🙏 clap👏 muscle💪 point_right👉
point_left👈 point_up☝️ point_down👇 thumbsup👍 +1👍 thumbsdown👎 -1👎 ok_hand👌 tada🎉 sparkles✨ star⭐ star2🌟 fire🔥 boom💥
zap⚡ rocket🚀 construction🚧 wrench🔧 hammer🔨 hammer_and_wrench🛠️ gear⚙️ nut_and_bolt🔩 toolbox🧰 bug🐛 robot_face🤖
computer💻 desktop_computer🖥️ floppy_disk💾 cd💿 satellite🛰️ satellite_antenna📡 electric_plug🔌 battery🔋 bulb💡
package📦 inbox_tray📥 outbox_tray📤 email📧 envelope✉️ incoming_envelope📨 phone☎️ telephone_receiver📞 iphone📱
arrow_right➡️ arrow_left⬅️ arrow_up⬆️ arrow_down⬇️ arrow_forward▶️ arrows_counterclockwise🔄 repeat🔁
leftwards_arrow_with_hook↩️ arrow_right_hook↪️ heavy_plus_sign➕ heavy_minus_sign➖ new🆕 free🆓 up🆙 ok🆗 sos🆘
recycle♻️ infinity♾️ checkered_flag🏁 triangular_flag_on_post🚩 white_flag🏳️ trophy🏆 medal🏅 first_place_medal🥇
smile😄 slightly_smiling_face🙂 grinning😀 joy😂 thinking_face🤔 neutral_face😐 sweat_smile😅 sob😭 scream😱
face_with_monocle🧐 sunglasses😎 nerd_face🤓 exploding_head🤯 melting_face🫠 saluting_face🫡 heart❤️ blue_heart💙
green_heart💚 yellow_heart💛 purple_heart💜 broken_heart💔 100💯 coffee☕ pizza🍕 sunny☀️ cloud☁️ snowflake❄️ umbrella☔
earth_americas🌎 earth_africa🌍 house🏠 office🏢 factory🏭 ghost👻 skull💀 detective🕵️ technologist🧑‍💻
busts_in_silhouette👥 bust_in_silhouette👤 passport_control🛂 receipt🧾 label🏷️ moneybag💰 art🎨 game_die🎲
`;

const EMOJI = new Map(
  NAMES.trim()
    .split(/\s+(?=[a-z0-9+-])/)
    .map((entry) => entry.match(/^([a-z0-9_+-]+?)\s*([^a-z0-9_+\-\s].*)$/u))
    .filter(Boolean)
    .map(([, name, character]) => [name, character]),
);

/** The character of `:name:`, or undefined. */
export function emoji(name) {
  return EMOJI.get(name.replace(/::skin-tone-\d$/, ""));
}

/** Plain text with its `:names:` as characters. */
export function emojify(text) {
  return text.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => emoji(name) ?? whole);
}
