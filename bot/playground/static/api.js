// Talks to the playground. A refusal comes back as {ok: false, error, text}; it never throws.

export async function get(path) {
  return request(path, {});
}

export async function post(path, body = {}) {
  return request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function request(path, options) {
  try {
    const answer = await fetch(`/playground/${path}`, options);
    const data = await answer.json();
    return answer.ok ? data : { ok: false, text: (data.response_metadata?.messages ?? [data.error]).join(" "), ...data };
  } catch {
    return { ok: false, error: "unreachable", text: "The playground does not answer. Is socmon still running?" };
  }
}
