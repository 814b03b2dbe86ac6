-- Members of teams.
-- One row is a membership of a user in a team.
SELECT
  id AS team_member_id,
  team_id,
  user_id,
  role,
  status,
  created_at,
  updated_at,
  designation_id,
  created_by,
  updated_by,
  is_lead,
  approval_level,
  approval_limit,
  joined_on,
  left_on,
  deactivated_at,
  deactivation_reason,
  receives_notifications,
  delegate_user_id,
  delegated_until,
  erp_id,
  invited_by,
  other_details,
  lock_version
FROM {{ source('public', 'team_members') }}
