/** Rules by which the fleet is kept: kinds of VMs, when missing ones are forgotten. */
export const fleet = {
  'kinds.title': 'VM 유형 규칙', 'kinds.words': 'VM 이름에 들어 있는 말', 'kinds.example': '예: pos, 계산대', 'kinds.add': '규칙 추가',
  'kinds.hint': '태그가 없는 VM은 이름으로 유형을 정합니다. 위에서부터 처음 맞는 규칙을 쓰며, 직접 정한 유형은 바뀌지 않습니다. 영문은 단어 단위로 찾고(pos는 compose에 맞지 않습니다), *는 아무 글자나 뜻합니다.',
  'kinds.up': '위로', 'kinds.down': '아래로', 'kinds.remove': '규칙 삭제',
  'setting.purge_missing_days': '사라진 VM을 목록에서 지우기 (일 뒤, 0은 지우지 않음)',
  'pharmacies.none': '아직 약국이 없습니다. 첫 약국을 추가하거나 CSV로 한 번에 가져오세요.',
  'setting.consoles_per_user': '한 사람의 콘솔', 'setting.console_idle_minutes': '쓰지 않는 콘솔 닫기 (분, 0은 닫지 않음)', 'setting.console_hours': '콘솔 최대 시간 (시간)',
  'setting.rotate_days': '서비스 계정 비밀번호 교체 주기 (일, 0은 요청할 때만)', 'setting.keep_access_days': '접속 이력 보관 (일, 2년 이상)', 'setting.keep_grants_days': '권한 변경 이력 보관 (일, 3년 이상)',
  'failure.ui.outdated.title': '이 화면을 열지 못했습니다.', 'failure.ui.outdated.why': 'PharmQ가 새 버전으로 바뀌었거나, 서버에 연결되지 않았습니다.', 'failure.ui.outdated.remedy': '새로 고침을 누르세요. 열린 콘솔은 다시 연결됩니다.', 'act.reload': '새로 고침',
  'find.cut': '검색어에 맞는 것이 많아 가까운 것만 보여 줍니다. 더 입력해 좁히세요.',
} as const
