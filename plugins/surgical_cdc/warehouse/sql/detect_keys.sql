-- The staged keys of a source, each with what its newest version in the window is to the baseline; of a snapshot also the
-- keys of the baseline that are absent. Grain: a key; those that are NULL in a part, as their parts are.
-- Names: control, source, buried (whether keys of it have tombstones), deletion (a predicate), staged, keys (their number; none: all). Parameters: window end, window
-- start (NULL: no bound), keys, of a snapshot these twice.
{% from "applied.jinja" import staged_keys %}
CREATE TEMP TABLE {{ staged | name }}
DISTKEY ({{ source.key[0] | name }})
AS
{{ staged_keys(control, source, deletion, keys, buried, source.load == "snapshot") }}
