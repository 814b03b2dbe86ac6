-- The SELECT of fact_of_days_whose_name_is_as_long_as_one_can_get_to_be_here__ on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* What a session's settings could write in another way. */
SELECT
  days.day,
  CAST(days.day AS VARCHAR(32)) AS day_text,
  days.language,
  CAST(days.begins_at AS DATE) AS begins_on,
  CAST(days.begins_at AS VARCHAR(64)) AS begins_text
FROM corners_live.days_whose_source_has_a_name_as_long_as_one_can_get_to_be_here_ AS days
