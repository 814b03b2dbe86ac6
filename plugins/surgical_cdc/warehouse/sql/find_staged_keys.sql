-- Which of some keys of a source are staged in the window. Grain: a key.
-- Names: source, keys (their number). Parameters: window end, window start (NULL: no bound), keys.
{% from "key.jinja" import key_text %}
{% from "window.jinja" import in_window %}
SELECT DISTINCT
  {{ key_text(source, "") }} AS row_key
FROM {{ source.staging | name }}
WHERE
{{ in_window(source, keys) }}
